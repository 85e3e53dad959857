import { Player } from './player.ts';
import './stage.css';

const asked = new URLSearchParams(location.search);
const callbacks: Record<string, unknown> = {};
Object.assign(window, { player: callbacks });
new Player(
  document.querySelector('main') ?? document.body,
  {
    addCallback: (name, callback) => {
      callbacks[name] = callback;
    },
  },
  asked.get('url') ?? `rtmp://${location.hostname}/live`,
  asked.get('name') ?? 'test',
);
