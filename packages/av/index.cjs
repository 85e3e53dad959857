/**
 * The npm package `aac` is a decoder for a player library named `av`, of which it uses a reader of bits and two base
 * classes. This stands in for that library, so that its sound output and build tools need not be installed.
 */

/** A class with `body` run on it, the way the decoder defines its own. */
function extend(body) {
  class Extended extends this {}
  body.call(Extended, this);
  return Extended;
}

class Decoder {
  static extend = extend;
  static register() {}
}

class Demuxer {
  static extend = extend;
  static register() {}
}

class Buffer {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
  }
}

/** Bytes in a row. */
class Stream {
  /** @param {Uint8Array} data */
  constructor(data) {
    this.data = data;
  }

  static fromBuffer(buffer) {
    return new Stream(buffer.data);
  }
}

/** Reads bits, most significant first. Past the end it throws, so that damaged input ends. */
class Bitstream {
  /** @param {Stream} stream */
  constructor(stream) {
    this.data = stream.data;
    this.at = 0;
  }

  available(bits) {
    return this.at + bits <= 8 * this.data.length;
  }

  advance(bits) {
    this.at += bits;
    if (this.at > 8 * this.data.length) throw new Error('the data ends too early');
  }

  align() {
    this.at = (this.at + 7) & ~7;
  }

  peek(bits) {
    const { data } = this;
    let value = 0;
    let at = this.at;
    let left = bits;
    while (left > 0) {
      const inByte = 8 - (at & 7);
      const take = left < inByte ? left : inByte;
      const byte = data[at >> 3] ?? 0;
      value = value * (1 << take) + ((byte >> (inByte - take)) & ((1 << take) - 1));
      at += take;
      left -= take;
    }
    return value;
  }

  read(bits) {
    const value = this.peek(bits);
    this.advance(bits);
    return value;
  }
}

module.exports = { Decoder, Demuxer, Buffer, Stream, Bitstream };
