/** The headers of a handshake, with a key that is always the same. */
export const HANDSHAKE = {
  connection: 'Upgrade',
  upgrade: 'websocket',
  'sec-websocket-version': '13',
  'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
}

const TEXT = 0x81
const CLOSE = 0x88

/** A frame with a text of less than 64 KiB, as a client sends it: masked, with zeros. */
export function textFrame(text: string): Buffer {
  return frame(TEXT, Buffer.from(text))
}

/** A frame that closes normally. */
export function closeFrame(): Buffer {
  return frame(CLOSE, Buffer.from([0x03, 0xe8]))
}

function frame(kind: number, payload: Buffer): Buffer {
  const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 0xff]
  const [first = 0, ...rest] = length
  return Buffer.concat([Buffer.from([kind, 0x80 | first, ...rest, 0, 0, 0, 0]), payload])
}
