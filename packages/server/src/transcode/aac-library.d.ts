declare module 'av' {
  class Buffer {
    constructor(bytes: Uint8Array);
  }
  interface Bytes {
    readonly data: Uint8Array;
  }
  const Stream: { fromBuffer(buffer: Buffer): Bytes };
  class Bitstream {
    constructor(stream: Bytes);
  }
}
declare module 'aac' {
  import type { Bitstream, Buffer } from 'av';

  /** A decoder as the library makes it for its own player; driven directly here. */
  class AacDecoder {
    format: { channelsPerFrame?: number; floatingPoint?: boolean };
    bitstream: Bitstream;
    init(): void;
    /** AudioSpecificConfig. */
    setCookie(config: Buffer): void;
    /** Interleaved PCM of one raw_data_block. */
    readChunk(): Float32Array;
  }
  export = AacDecoder;
}
