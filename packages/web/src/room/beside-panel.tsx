import type { FileDelivery, FileView } from '@onair/client/room';
import { MAX_CHAT_NAME, MAX_CHAT_TEXT, REACTIONS } from '@onair/contracts/rooms';
import { useSignal } from '@preact/signals';
import type { JSX } from 'preact';
import { useRef } from 'preact/hooks';
import { t } from '../words/words.ts';
import type { Beside } from './beside.ts';
import './beside.css';

const DELIVERIES: readonly FileDelivery[] = ['ordered', 'unordered', 'timed', 'once'];
const NAME = 'onair.name';

/** Chat, signs and files of a room. */
export function BesidePanel({ beside }: { readonly beside: Beside }): JSX.Element {
  return (
    <div class="beside">
      <Chat beside={beside} />
      <Files beside={beside} />
    </div>
  );
}

/** Signs that float over the picture; they say nothing that needs to be read out. */
export function FloatingSigns({ beside }: { readonly beside: Beside }): JSX.Element {
  return (
    <div class="beside-signs" aria-hidden="true">
      {beside.signs.value.map(({ key, sign }) => (
        <span key={key} style={{ left: `${12 + ((key * 37) % 76)}%` }}>
          {sign}
        </span>
      ))}
    </div>
  );
}

function Chat({ beside }: { readonly beside: Beside }): JSX.Element {
  const name = useSignal(remembered());
  const asides = beside.asides.value;
  const send = (form: HTMLFormElement): void => {
    const field = form.elements.namedItem('text') as HTMLInputElement;
    const text = field.value.trim();
    if (text === '' || asides === undefined) return;
    asides.chat(text, name.value.trim());
    field.value = '';
  };
  return (
    <section class="beside-box" aria-labelledby="chat-title">
      <h2 id="chat-title">{t('room.chat')}</h2>
      <div
        class="beside-log"
        id="chat"
        role="log"
        // biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls must be reachable by keyboard
        tabIndex={0}
        aria-labelledby="chat-title"
        ref={(list) => list?.scrollTo(0, list.scrollHeight)}
      >
        {beside.texts.value.length === 0 && <p class="muted">{t('room.chat.empty')}</p>}
        {beside.texts.value.map(({ id, name, text, own }) => (
          <p key={id} class={own ? 'beside-own' : undefined}>
            <b>{own ? t('room.chat.own') : (name ?? t('room.chat.guest'))}</b> {text}
          </p>
        ))}
      </div>
      <fieldset class="beside-reactions">
        {REACTIONS.map((sign) => (
          <button
            key={sign}
            type="button"
            class="button"
            aria-label={t('room.react', { sign })}
            disabled={asides === undefined}
            onClick={() => asides?.react(sign)}
          >
            {sign}
          </button>
        ))}
      </fieldset>
      <form
        class="beside-form"
        id="chat-form"
        onSubmit={(event) => {
          event.preventDefault();
          send(event.currentTarget);
        }}
      >
        <input
          name="name"
          class="beside-name"
          aria-label={t('room.chat.name')}
          placeholder={t('room.chat.name')}
          maxLength={MAX_CHAT_NAME}
          autocomplete="nickname"
          value={name.value}
          onInput={(event) => {
            name.value = event.currentTarget.value;
            remember(name.value);
          }}
        />
        <input
          name="text"
          aria-label={t('room.chat.text')}
          placeholder={t('room.chat.text')}
          maxLength={MAX_CHAT_TEXT}
          autocomplete="off"
        />
        <button type="submit" class="button button-main" disabled={asides === undefined}>
          {t('room.chat.send')}
        </button>
      </form>
    </section>
  );
}

function Files({ beside }: { readonly beside: Beside }): JSX.Element {
  const delivery = useSignal<FileDelivery>('ordered');
  const refused = useSignal(false);
  const input = useRef<HTMLInputElement>(null);
  const asides = beside.asides.value;
  const offer = (file: File | undefined): void => {
    if (file !== undefined) refused.value = asides?.offer(file, delivery.value) !== true;
    if (input.current !== null) input.current.value = '';
  };
  return (
    <section class="beside-box" aria-labelledby="files-title">
      <h2 id="files-title">{t('room.files')}</h2>
      <div class="beside-send">
        <label>
          <span>{t('room.files.delivery')}</span>
          <select
            id="delivery"
            value={delivery.value}
            onChange={(event) => {
              delivery.value = event.currentTarget.value as FileDelivery;
            }}
          >
            {DELIVERIES.map((one) => (
              <option key={one} value={one}>
                {t(`room.files.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label class="button beside-choose">
          {t('room.files.choose')}
          <input
            id="file"
            ref={input}
            type="file"
            disabled={asides === undefined}
            onChange={(event) => offer(event.currentTarget.files?.[0])}
          />
        </label>
      </div>
      <div role="status">{refused.value && <p class="notice">{t('room.files.no')}</p>}</div>
      <ul class="beside-files" id="files">
        {beside.files.value.map((file) => (
          <Entry key={file.id} file={file} beside={beside} />
        ))}
      </ul>
    </section>
  );
}

function Entry({ file, beside }: { readonly file: FileView; readonly beside: Beside }): JSX.Element {
  const { id, name, size, way, state, bytes, content } = file;
  const asides = beside.asides.value;
  const percent = Math.floor((100 * bytes) / size);
  return (
    <li data-state={state} data-way={way}>
      <span class="beside-file">{name}</span>
      <span class="num muted">{bytesText(size)}</span>
      <span class="num">{t(`room.files.state.${state}`, { percent })}</span>
      {state === 'going' && <progress max={size} value={bytes} aria-label={name} />}
      {way === 'in' && state === 'offered' && (
        <>
          <button
            type="button"
            class="button button-main"
            data-do="accept"
            onClick={() => asides?.accept(id)}
          >
            {t('room.files.accept', { name })}
          </button>
          <button type="button" class="button" onClick={() => asides?.refuse(id)}>
            {t('room.files.refuse', { name })}
          </button>
        </>
      )}
      {content !== undefined && (
        <button type="button" class="button" data-do="save" onClick={() => save(content, name)}>
          {t('room.files.save', { name })}
        </button>
      )}
    </li>
  );
}

function save(content: Blob, name: string): void {
  const address = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  // The browser has begun to read by then.
  setTimeout(() => URL.revokeObjectURL(address), 10_000);
}

function bytesText(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1_000_000 ? `${(bytes / 1000).toFixed(0)} kB` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}

function remembered(): string {
  try {
    return (localStorage.getItem(NAME) ?? '').slice(0, MAX_CHAT_NAME);
  } catch {
    return ''; // storage is refused
  }
}

function remember(name: string): void {
  try {
    localStorage.setItem(NAME, name);
  } catch {
    // storage is refused: the name lasts as long as the page
  }
}
