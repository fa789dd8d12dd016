import fc from 'fast-check'

/** Texts that break lines, parsers, terminals and cuts if these are written carelessly. */
const SPITEFUL = [
  ...['"', '\\', '\\"', '\0', '\n', '\r', '\t', '\b', '\f', '\u001b[2J', '\u007f', '\u0085', '\u009b', '\u2028'],
  ...[
    '\u2029',
    '\ud800',
    '\udc00',
    '\udfff\ud800',
    '😀',
    '👩‍👩‍👧',
    'é',
    'ß',
    '漢',
    '\u202e',
    '\ufeff',
    '\uffff',
    '%zz',
    '%00',
  ],
  ...['%', '%c3%28', '</script>', '{{', '"}', '","seq":0,"x":"', "'", '`', '$', 'a', ' ', '__proto__', 'null'],
]

/** A text as nobody would write it by mistake. */
export const hostileText: fc.Arbitrary<string> = fc.oneof(
  fc.array(fc.constantFrom(...SPITEFUL), { maxLength: 30 }).map((parts) => parts.join('')),
  fc.string({ unit: 'binary', maxLength: 60 }),
  // Any UTF-16 units: half of them surrogates, paired or not.
  fc
    .array(fc.oneof(fc.integer({ min: 0, max: 0xffff }), fc.integer({ min: 0xd800, max: 0xdfff })), { maxLength: 60 })
    .map((units) => String.fromCharCode(...units)),
  fc
    .tuple(fc.constantFrom(...SPITEFUL), fc.integer({ min: 1, max: 6000 }))
    .map(([part, count]) => part.repeat(Math.ceil(count / part.length))),
)

/** The form in which a line holds a text that is not cut. */
export function cleaned(text: string): string {
  return text.toWellFormed().replaceAll('\0', '\ufffd')
}

/** The size of a JSON string literal, without its quotes. */
export function sizeOf(literal: string): number {
  return Buffer.byteLength(literal) - 2
}
