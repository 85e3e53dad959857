/** Style sheet of the player's shadow tree. The player is dark on every page; `--onair-*` of the page wins. */
export const STYLES = `
:host {
  --live: var(--onair-live, #ff3b3b); --amber: var(--onair-amber, #ffb020); --focus: var(--onair-focus, #6aa7ff);
  --text: #f2f4f7; --muted: #b4bcc8; --raised: rgb(20 24 31 / .97); --line: rgb(255 255 255 / .14);
  color-scheme: dark; display: block; position: relative; aspect-ratio: 16 / 9; overflow: hidden; background: #000; color: var(--text);
  font: 14px/1.6 system-ui, -apple-system, "Segoe UI", Roboto, "Hiragino Sans", "Noto Sans CJK JP", "Noto Sans CJK SC", sans-serif;
  font-style: normal; text-align: start; container-type: size; -webkit-tap-highlight-color: transparent;
}
:host([hidden]) { display: none; }
:host(:fullscreen) { width: 100%; height: 100%; aspect-ratio: auto; border-radius: 0; }
:host(:focus-visible) { outline: 2px solid var(--focus); outline-offset: 2px; }
* { box-sizing: border-box; }
media-controller { display: block; position: absolute; inset: 0; width: 100%; height: 100%;
  --media-background-color: #000; --media-primary-color: var(--text); --media-control-background: transparent;
  --media-control-hover-background: rgb(255 255 255 / .12); --media-focus-box-shadow: inset 0 0 0 2px var(--focus);
  --media-font-family: inherit; --media-range-bar-color: var(--text); --media-tooltip-background: #14181f;
  --media-control-height: 24px; --media-control-padding: 10px; --media-tooltip-arrow-display: none;
  --media-loading-indicator-icon-height: 64px; }
video { display: block; width: 100%; height: 100%; object-fit: contain; background: #000; }
video:focus { outline: none; }
media-control-bar { display: flex; align-items: center; width: 100%; padding: 28px 8px 4px; line-height: 1.6;
  background: linear-gradient(transparent, rgb(0 0 0 / .72)); }
media-control-bar > :not(:defined) { display: none; }
media-control-bar media-play-button, media-control-bar media-mute-button, media-control-bar media-pip-button,
media-control-bar media-fullscreen-button { min-width: 44px; min-height: 44px; border-radius: 8px; }
media-volume-range { width: 84px; height: 44px; padding: 0 8px 0 2px; }
.gap { flex: 1; }
button { font: inherit; color: inherit; background: none; border: 0; border-radius: 8px; cursor: pointer;
  min-width: 44px; min-height: 44px; padding: 0 10px; display: inline-flex; align-items: center; justify-content: center; gap: 8px; }
button:hover { background: rgb(255 255 255 / .12); }
button:focus-visible, label:has(:focus-visible) { outline: 2px solid var(--focus); outline-offset: -2px; }
.icon { width: 24px; height: 24px; fill: currentColor; flex: none; }
.icon.line { fill: none; stroke: currentColor; stroke-width: 2; stroke-linecap: round; stroke-linejoin: round; }
.number { font-variant-numeric: tabular-nums; }
.live { line-height: 1; font-weight: 600; letter-spacing: .04em; font-size: 13px; white-space: nowrap; }
.live::before { content: ""; width: 9px; height: 9px; border-radius: 50%; background: #8b94a3; }
.live[aria-pressed="true"]::before { background: var(--live); }
.live[aria-pressed="false"] { color: var(--muted); }
.delay { color: var(--muted); padding: 0 8px; }
.veil { position: absolute; inset: 0; display: grid; place-items: center; padding: 12px; overflow: hidden; line-height: 1.6;
  background: rgb(8 10 14 / .76); pointer-events: none; }
.veil.solid { background: radial-gradient(120% 90% at 50% 40%, #1a202a, #0e1116 70%); }
.veil.bare { background: none; }
.veil > * { pointer-events: auto; }
.card { max-width: 440px; text-align: center; display: grid; justify-items: center; gap: 4px; }
.card .badge { width: 56px; height: 56px; border-radius: 50%; display: grid; place-items: center; margin-bottom: 10px;
  background: rgb(255 255 255 / .08); color: var(--muted); }
.card .badge .icon { width: 28px; height: 28px; }
.card.needs .badge { background: rgb(255 176 32 / .16); color: var(--amber); }
.card.calm .badge { animation: breathe 2.4s ease-in-out infinite; }
@keyframes breathe { 50% { background: rgb(255 255 255 / .16); color: var(--text); } }
.card h2 { margin: 0; font-size: 20px; font-weight: 600; line-height: 1.35; overflow-wrap: anywhere; }
.card p { margin: 0; color: var(--muted); overflow-wrap: anywhere; }
.card .left { color: var(--text); margin-top: 8px; }
.meter { width: 160px; height: 3px; border-radius: 2px; margin-top: 6px; background: rgb(255 255 255 / .16); overflow: hidden; }
.meter i { display: block; height: 100%; background: var(--amber); transition: width .5s linear; }
.card .action { margin-top: 14px; background: rgb(255 255 255 / .14); padding: 0 20px; font-weight: 600; }
.card .action:hover { background: rgb(255 255 255 / .22); }
.start { width: 76px; height: 76px; border-radius: 50%; background: rgb(20 24 31 / .82); box-shadow: 0 2px 16px rgb(0 0 0 / .4); }
.start:hover { background: rgb(40 47 59 / .92); }
.start .icon { width: 36px; height: 36px; margin-left: 3px; }
.spinner { width: 48px; height: 48px; border-radius: 50%; border: 3px solid rgb(255 255 255 / .25); border-top-color: #fff;
  animation: turn 1s linear infinite; }
@keyframes turn { to { rotate: 1turn; } }
.unmute { position: absolute; top: 12px; left: 12px; background: rgb(242 244 247 / .96); color: #0e1116; font-weight: 600;
  padding: 0 16px 0 12px; box-shadow: 0 2px 12px rgb(0 0 0 / .4); }
.unmute:hover { background: #fff; }
.panel { position: absolute; background: var(--raised); border: 1px solid var(--line); border-radius: 8px; line-height: 1.6;
  box-shadow: 0 8px 28px rgb(0 0 0 / .5); overflow: auto; overscroll-behavior: contain; }
.panel header { display: flex; align-items: center; gap: 4px; padding-left: 14px; position: sticky; top: 0; background: #14181f; z-index: 1; }
.panel header h2 { margin: 0; font-size: 14px; font-weight: 600; flex: 1; }
.stats { top: 12px; left: 12px; width: 320px; max-width: calc(100% - 24px); max-height: calc(100% - 76px); }
.unmute:not([hidden]) ~ .stats { top: 64px; max-height: calc(100% - 128px); }
.stats dl { margin: 0; padding: 0 14px 12px; display: grid; grid-template-columns: auto 1fr; gap: 1px 16px; font-size: 13px; }
.stats dt { color: var(--muted); white-space: nowrap; }
.stats dd { margin: 0; text-align: right; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; }
.stats .plot { display: block; width: calc(100% - 28px); height: 44px; margin: 2px 14px 8px; }
.plot path { fill: none; stroke: var(--focus); stroke-width: 1.5; vector-effect: non-scaling-stroke; stroke-linejoin: round; }
.plot .under { fill: rgb(106 167 255 / .16); stroke: none; }
.plot line { stroke: var(--line); vector-effect: non-scaling-stroke; }
.settings { right: 12px; bottom: 60px; width: 280px; max-width: calc(100% - 24px); max-height: calc(100% - 72px); }
.settings fieldset { border: 0; margin: 0; padding: 4px 6px 8px; }
.settings legend { color: var(--muted); font-size: 12px; padding: 0 8px; }
.settings label { display: flex; align-items: center; gap: 10px; min-height: 44px; padding: 0 8px; border-radius: 8px; cursor: pointer; }
.settings fieldset:disabled { opacity: .5; }
.settings label:hover { background: rgb(255 255 255 / .08); }
.settings input { accent-color: var(--focus); width: 18px; height: 18px; margin: 0; flex: none; }
.settings .note { margin: 0 14px 8px; font-size: 12px; color: var(--amber); overflow-wrap: anywhere; }
.settings .more { border-top: 1px solid var(--line); padding: 6px; display: grid; }
.settings .more button { justify-content: start; padding: 0 8px; }
.keys { inset: 0; margin: auto; width: 360px; height: fit-content; max-width: calc(100% - 24px); max-height: calc(100% - 24px); }
.keys dl { margin: 0; padding: 0 14px 12px; display: grid; grid-template-columns: auto 1fr; gap: 4px 16px; align-items: baseline; }
.keys dt { display: flex; gap: 4px; }
.keys dd { margin: 0; color: var(--muted); }
kbd { font: inherit; font-size: 12px; min-width: 24px; padding: 0 6px; text-align: center; border: 1px solid var(--line); border-radius: 4px;
  background: rgb(255 255 255 / .08); }
[hidden] { display: none !important; }
@container (max-width: 480px) {
  media-volume-range, .delay { display: none; }
  media-control-bar { padding-inline: 2px; }
  .card h2 { font-size: 16px; }
  .card p { font-size: 13px; }
  .card .badge { width: 44px; height: 44px; margin-bottom: 4px; }
  .card .badge .icon { width: 22px; height: 22px; }
  .stats, .settings, .keys { inset: 6px; width: auto; height: auto; max-width: none; max-height: none; margin: 0; }
  .unmute:not([hidden]) ~ .stats { top: 6px; max-height: none; }
}
@media (prefers-reduced-motion: reduce) {
  .card.calm .badge { animation: none; }
  .spinner { animation-duration: 3s; }
  .meter i { transition: none; }
  media-controller { --media-control-transition-in: none; --media-control-transition-out: none; }
}
`;
