import { NetConnection, NetStatusEvent, NetStream, Responder, Video } from '@onair/client/netconnection';

/** What the page around the player calls, as ExternalInterface offered it. */
export interface ExternalInterface {
  addCallback(name: string, callback: (...args: never[]) => unknown): void;
}

/**
 * A player as it was written for Flash: a connection, a stream on it once the connection stands, a video that shows it. Before
 * the stream is on air the stage is black; it plays as soon as somebody publishes.
 */
export class Player {
  readonly #nc: NetConnection;
  readonly #video: Video;
  #ns: NetStream | undefined;
  readonly #name: string;

  constructor(stage: HTMLElement, external: ExternalInterface, url: string, name: string) {
    this.#name = name;
    this.#video = new Video();
    stage.append(this.#video.element);

    this.#nc = new NetConnection();
    this.#nc.client = this;
    this.#nc.addEventListener(NetStatusEvent.NET_STATUS, this.#onNetStatus);
    this.#nc.connect(url);

    external.addCallback('doSomething', (...args: never[]) => this.#doSomething(...args));
  }

  /** Called by the server: what it says is shown to the page. */
  onMessage(text: unknown): string {
    document.title = String(text).slice(0, 100);
    return document.title;
  }

  readonly #onNetStatus = (event: Event): void => {
    if (!(event instanceof NetStatusEvent)) return;
    switch (event.info.code) {
      case 'NetConnection.Connect.Success':
        this.#connectStream();
        break;
      case 'NetStream.Play.StreamNotFound':
        console.error('stream not found');
        break;
    }
  };

  #connectStream(): void {
    this.#ns = new NetStream(this.#nc);
    this.#ns.client = { onMetaData: () => undefined, onCuePoint: () => undefined };
    this.#ns.addEventListener(NetStatusEvent.NET_STATUS, this.#onNetStatus);
    this.#video.attachNetStream(this.#ns);
    this.#ns.play(this.#name);
  }

  #doSomething(...args: never[]): Promise<unknown> {
    return new Promise((resolve, reject) => {
      this.#nc.call('doSomething', new Responder(resolve, reject), ...args);
    });
  }
}
