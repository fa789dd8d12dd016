import { createHash, createHmac, verify } from 'node:crypto'

// A verifier by the specification in docs/integrity.md alone: it shares no code with `src`.

/** `secrets` in the order of their use, none for a plain hash; `publicKey` in PEM; `expected`, the hash of a line. */
interface Given {
  secrets: Array<{ keyId: string; secret: string }>
  publicKey?: string | undefined
  expected?: string | undefined
}

const ZEROS = '0'.repeat(64)
const ENDING = /,"prev":"([0-9a-f]{64})","hash":"([0-9a-f]{64})"\}$/

/** The problems of a trail, given as the contents of its files in order. */
export function problemsOf(files: readonly Buffer[], { secrets, publicKey, expected }: Given): string[] {
  const problems: string[] = []
  const [seen, deleted] = [new Set<string>(), new Set<string>()]
  let [first, head, bare, key, signed] = [ZEROS, '', 0, 0, 0]
  let open: Array<{ prev: string; head: string }> = []
  for (const line of files.flatMap((file) => file.toString('latin1').split('\n').slice(0, -1))) {
    const [isSealed, prev = '', hash = ''] = ENDING.exec(line) ?? []
    const check = (isRight: boolean, problem: string): void => void (isRight || problems.push(`${hash}: ${problem}`))
    if (isSealed === undefined) {
      bare++
      check(head === '', 'no seal, after lines that have one')
      continue
    }
    const { type, entry } = entryOf(Buffer.from(line, 'latin1').toString())
    const content = Buffer.from(`${line.slice(0, -75)}}`, 'latin1')
    const isBy = (one: Given['secrets'][number]) =>
      createHmac('sha256', one.secret).update(content).digest('hex') === hash
    const named = secrets.findIndex((one) => type === 'seal' && one.keyId === entry.key_id && isBy(one))
    const by = named === -1 ? secrets.findIndex((one, place) => place >= key && isBy(one)) : named
    if (secrets.length === 0) check(createHash('sha256').update(content).digest('hex') === hash, 'altered')
    else check(by >= key, 'altered, or under a secret whose time was over')
    check(by <= key || head === '' || type === 'seal', 'a new secret, and no entry that says so')
    check(type !== 'seal' || secrets.length < 2 || secrets[by]?.keyId === entry.key_id, 'the wrong key id')
    key = Math.max(key, by)
    check(!seen.has(hash), 'a line that stands elsewhere already')
    if (head === '') {
      first = prev
      check(
        bare === 0 || (prev === ZEROS && /^un/.test(entry.chain)),
        'the first one, and lines without a seal before it',
      )
    } else {
      check(entry.unsealed === undefined, 'says that lines without a seal stood before it')
      if (prev !== head && !(prev === ZEROS && entry.chain === 'unknown')) open.push({ prev, head })
    }
    const dropped = new Map<string, string>(
      (entry.dropped ?? []).map((one: { hash: string; prev: string }) => [one.hash, one.prev]),
    )
    open = open.filter((one) => !leads(one.prev, one.head, dropped))
    if (type === 'checkpoint') {
      const text = ['fastify-audit-log checkpoint 1', entry.sink, entry.instance, entry.seq, entry.hash, entry.time, '']
      const signature = Buffer.from(String(entry.signature), 'base64')
      check(entry.hash === prev && open.splice(0).length === 0, 'a checkpoint, and lines before it are missing')
      check(
        publicKey === undefined || verify(null, Buffer.from(text.join('\n')), publicKey, signature),
        'a forged checkpoint',
      )
      signed++
    }
    if (type === 'retention') deleted.add(entry.hash)
    seen.add(hash)
    head = hash
  }
  if (open.length > 0 || (first !== ZEROS && !deleted.has(first))) problems.push('lines are missing')
  if (head === '' || (publicKey !== undefined && signed === 0)) problems.push('nothing is sealed, or signed')
  if (key < secrets.length - 1) problems.push('the newest secret was never used')
  if (expected !== undefined && !seen.has(expected)) problems.push('what was expected is not there')
  return problems
}

/** The entries that say something of the chain, in either format. */
function entryOf(line: string) {
  const value = JSON.parse(line)
  const type = value.payload?.type ?? value.stage
  const isOfChain = ['seal', 'checkpoint', 'retention'].includes(type)
  return { type, entry: (isOfChain && (value.payload ?? value)[type]) || {} }
}

function leads(from: string, to: string, over: Map<string, string>): boolean {
  const [next, left] = [over.get(from), new Map(over)]
  left.delete(from)
  return next !== undefined && (next === to || leads(next, to, left))
}
