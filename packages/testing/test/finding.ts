// finding.ts: what a check found, where it must find something.
import { WorldError } from '../src/index.ts'

/** @throws Error where nothing is found. */
export async function finding(checked: Promise<unknown>): Promise<WorldError> {
  const end = await checked.catch((error: unknown) => error)
  if (end instanceof WorldError) return end
  throw new Error(`Nothing was found: ${String(end)}`, { cause: end })
}
