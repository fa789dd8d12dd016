/** A signed statement that a chain had come to a line: kept elsewhere, it shows when lines were cut off since. */
export interface Checkpoint {
  /** The sink's name in the options. */
  sink: string
  /** The server's run that wrote the line. */
  instance: string
  /** The line's `seq`. */
  seq: number
  /** The line's `hash`. */
  hash: string
  /** When it was signed. */
  time: string
  algorithm: 'ed25519'
  /** SHA-256 of the public key in DER, in hex. */
  key_id: string
  /** In base64, over `checkpointText`. */
  signature: string
}

/** What is signed: five values that have no line break in them, each on a line of its own. */
export function checkpointText({ sink, instance, seq, hash, time }: Omit<Checkpoint, 'signature'>): string {
  return `fastify-audit-log checkpoint 1\n${sink}\n${instance}\n${seq}\n${hash}\n${time}\n`
}
