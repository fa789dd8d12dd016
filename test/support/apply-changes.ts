import type { EventChange } from '../../src/event/action.js'

/** Makes the changes of a record to a copy of a value. `id`: the key by which lists were compared, at one level. */
export function applyChanges<Value>(before: Value, changes: readonly EventChange[], id?: string): Value {
  const holder = { root: structuredClone(before) }
  // A removed item's index is the one before the change, so the last ones go first.
  const ordered = [...changes.filter(isKept), ...changes.filter((change) => !isKept(change)).toReversed()]
  for (const change of ordered) applyChange(holder, change, id)
  return holder.root
}

function isKept(change: EventChange): boolean {
  return 'after' in change
}

function applyChange(root: object, change: EventChange, id: string | undefined): void {
  const steps = change.path === '' ? [] : change.path.slice(1).split('/').map(keyOf)
  const last = steps.pop()
  if (last === undefined) {
    put(root, 'root', change.after)
    return
  }
  let holder = read(root, 'root')
  for (const step of steps) holder = read(holder, stepIn(holder, step, change, id))
  const step = stepIn(holder, last, change, id)
  if (isKept(change)) put(holder, step, change.after)
  else if (Array.isArray(holder)) holder.splice(Number(step), 1)
  else Reflect.deleteProperty(Object(holder), step)
}

/** Returns the index of the item with the change's id, in a list of items with ids. */
function stepIn(holder: unknown, step: string, change: EventChange, id: string | undefined): string {
  if (id === undefined || change.id === undefined || !Array.isArray(holder)) return step
  if (!holder.every((item) => typeof item === 'object')) return step
  const index = holder.findIndex((item) => String(read(item, id)) === change.id)
  return String(index === -1 ? holder.length : index)
}

function keyOf(step: string): string {
  return step.replaceAll('~1', '/').replaceAll('~0', '~')
}

function read(holder: unknown, step: string): unknown {
  return Object.getOwnPropertyDescriptor(holder, step)?.value
}

function put(holder: unknown, step: string, value: unknown): void {
  Object.defineProperty(holder, step, { value, enumerable: true, configurable: true, writable: true })
}
