// found.ts: what a simulation throws.
import { WorldError } from '@interstate/testing'

/** The error that a simulation ends with. */
export async function found(simulation: Promise<unknown>): Promise<WorldError> {
  const end: unknown = await simulation.then(
    (report) => new Error(`Nothing was found: ${String(report)}`),
    (error: unknown) => error,
  )
  if (end instanceof WorldError) return end
  throw end
}
