// @ts-check
/**
 * Writers that wait: each has one entry under way and offers the next when it is told that it is stored.
 *
 * @typedef {import('./worker.js').Written} Written
 */

/**
 * Lets `count` writers write for that long, each by `store`, which calls back; resolves when all have been answered.
 *
 * @param {number} count
 * @param {number} milliseconds
 * @param {(stored: () => void) => void} store
 * @returns {Promise<Written>}
 */
export function write(count, milliseconds, store) {
  return new Promise((resolve) => {
    const cpu = process.cpuUsage()
    const begun = performance.now()
    let entries = 0
    let waiting = count
    let isOver = false
    setTimeout(() => {
      isOver = true
    }, milliseconds)
    const stored = () => {
      entries++
      if (!isOver) {
        store(stored)
        return
      }
      waiting--
      if (waiting > 0) return
      const { user, system } = process.cpuUsage(cpu)
      resolve({ entries, milliseconds: performance.now() - begun, cpu: user + system })
    }
    for (let writer = 0; writer < count; writer++) store(stored)
  })
}

/**
 * Answers each message with what `answer` makes of it, and ends with the process that asks.
 *
 * @template Question
 * @param {(question: Question) => Promise<unknown>} answer
 */
export function serve(answer) {
  process.on('message', async (question) => process.send?.(await answer(question)))
  process.on('disconnect', () => process.exit())
  process.send?.('ready')
}
