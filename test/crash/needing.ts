// needing.ts: tests that need what a machine may lack.
import { describe, test } from 'vitest'
import { isCI, report, type Tool } from '../tools.ts'

/** Tests that run where the tool is here, are skipped loudly where it isn't, and fail there in CI. */
export function describeWith(tool: Tool, name: string, body: () => void): void {
  if (tool.isHere()) {
    describe(name, body)
    return
  }
  report(tool)
  if (!isCI) describe.skip(`${name} (SKIPPED: ${tool.missing()})`, body)
  else {
    test(`${name}: ${tool.name} is here`, () => {
      throw new Error(`${tool.missing()}. In CI these tests must run.`)
    })
  }
}
