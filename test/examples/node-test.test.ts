import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { root } from '../support/markdown.js'

it("the example for Node's own test runner passes there", async () => {
  const args = ['--import', 'tsx', '--test', '--test-reporter=tap', 'examples/testing-with-node-test.ts']
  // Node's runner takes a child of another runner for a part of its own, and reports nothing.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env })
  expect(stdout).toMatch(/^# pass [1-9]/m)
  expect(stdout).toMatch(/^# fail 0$/m)
})
