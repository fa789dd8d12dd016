/**
 * Networks of payment cards: the digits that their numbers begin with (`'51-55'`: from and to), and the numbers' lengths.
 * Sources: https://en.wikipedia.org/wiki/Payment_card_number, section "Issuer identification number (IIN)", and
 * https://github.com/braintree/credit-card-type. UATP is left out: airlines alone use it, and counters look the same.
 */
export const CARD_NETWORKS: ReadonlyArray<readonly [name: string, prefixes: string, lengths: readonly number[]]> = [
  ['Visa', '4', [13, 16, 19]],
  ['Mastercard', '51-55 2221-2720', [16]],
  ['American Express', '34 37', [15]],
  ['Diners Club', '300-305 3095 36 38-39', [14, 16, 19]],
  ['Discover', '6011 644-649 65', [16, 17, 18, 19]],
  ['JCB', '3528-3589', [16, 17, 18, 19]],
  ['UnionPay', '62', [16, 17, 18, 19]],
  ['Maestro', '5018 5020 5038 5893 6304 6759 6761-6763', [13, 14, 15, 16, 17, 18, 19]],
  ['Mir', '2200-2204', [16, 17, 18, 19]],
  ['RuPay', '60 81-82 508', [16]],
  ['Elo', '506699-506778 509000-509999 627780 636297 636368-636369', [16]],
  ['Hiper, Hipercard', '637095 637568 637599 637609 637612 606282', [16]],
  ['Verve', '506099-506198 507865-507964', [16, 18, 19]],
  ['Dankort', '5019', [16]],
  ['Troy', '9792', [16]],
  ['Humo', '9860', [16]],
  ['Uzcard', '8600', [16]],
  ['Napas', '9704', [16, 19]],
]

/** The number of digits that tell a card's network. */
export const ISSUER_DIGITS = 6

interface Issuer {
  readonly from: number
  readonly to: number
  /** A bit for each length. */
  readonly lengths: number
}

/** By the first two digits of a number. */
const ISSUERS: ReadonlyArray<readonly Issuer[]> = Array.from({ length: 100 }, (_, start) =>
  CARD_NETWORKS.flatMap(issuersOf).filter(({ from, to }) => firstTwo(from) <= start && start <= firstTwo(to)),
)

/** The lengths of the cards that begin with six digits, as bits: `1 << 16` for 16 digits. */
export function cardLengths(issuer: number): number {
  let lengths = 0
  for (const known of ISSUERS[firstTwo(issuer)] ?? []) {
    if (known.from <= issuer && issuer <= known.to) lengths |= known.lengths
  }
  return lengths
}

function issuersOf([, prefixes, lengths]: (typeof CARD_NETWORKS)[number]): Issuer[] {
  const bits = lengths.reduce((sum, length) => sum | (1 << length), 0)
  return prefixes.split(' ').map((prefix) => {
    const [from = '', to = from] = prefix.split('-')
    return { from: Number(from.padEnd(ISSUER_DIGITS, '0')), to: Number(to.padEnd(ISSUER_DIGITS, '9')), lengths: bits }
  })
}

function firstTwo(issuer: number): number {
  return Math.floor(issuer / 10 ** (ISSUER_DIGITS - 2))
}
