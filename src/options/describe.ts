import { shorten } from '../redact/describe-value.js'

/** Describes the place of a value in the options, such as `sinks[1].rotateDuration`. */
export function describePath(path: readonly PropertyKey[]): string {
  let text = ''
  for (const key of path) {
    if (typeof key === 'number') text += `[${key}]`
    else if (typeof key === 'string' && /^[A-Za-z_$][\w$]{0,63}$/.test(key)) text += text === '' ? key : `.${key}`
    else text += `[${JSON.stringify(shorten(String(key)))}]`
  }
  return text === '' ? 'options' : text
}
