import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { root } from './markdown.js'

/**
 * Compiles each text as a module of its own, all in one program, strictly. Returns the compiler's messages of each, such as
 * `(8,7): error TS2322: …`.
 */
export async function compile(texts: readonly string[]): Promise<string[][]> {
  // Inside the project, so that the packages an example imports are found where a reader's would be.
  const cache = join(root, 'node_modules', '.cache')
  mkdirSync(cache, { recursive: true })
  const folder = mkdtempSync(join(cache, 'compiled-'))
  try {
    for (const [index, text] of texts.entries()) writeFileSync(join(folder, `${index}.ts`), `${text}export {}\n`)
    const config = {
      extends: relative(folder, join(root, 'tsconfig.json')),
      compilerOptions: { rootDir: root, noUnusedLocals: false, noUnusedParameters: false },
      include: ['*.ts'],
      exclude: [],
    }
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config))
    const messages = await messagesOfCompiler(folder)
    return texts.map((_, index) => {
      const own = messages.filter((message) => message.startsWith(`${index}.ts(`))
      return own.map((message) => message.slice(`${index}.ts`.length))
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function messagesOfCompiler(folder: string): Promise<string[]> {
  const tsc = join(root, 'node_modules', 'typescript', 'bin', 'tsc')
  return new Promise((resolve, reject) => {
    execFile(process.execPath, [tsc, '-p', '.', '--pretty', 'false'], { cwd: folder }, (error, stdout) => {
      const messages = stdout.split(/\n(?! )/)
      // The compiler fails when there are mistakes, of which it speaks on stdout; anything else is the test's failure.
      if (error !== null && !messages.some((message) => /error TS\d+/.test(message))) reject(error)
      else resolve(messages)
    })
  })
}
