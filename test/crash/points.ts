// points.ts: goes through all points of a scenario at which something can happen to it.
import type { ChangingCall, Point } from './strace.ts'

/** Whether a run came as far as the point. */
export type Reached = 'reached' | 'not reached'

/**
 * Runs a scenario for the first, second, third and so on call of one kind, until it is over before the call comes.
 * @returns How many points were reached.
 */
export async function atEachPoint(
  call: ChangingCall,
  run: (at: Point) => Promise<Reached>,
  { every = 1 }: { readonly every?: number } = {},
): Promise<number> {
  let n = 1
  let reached = 0
  let over = false
  const goOn = async (): Promise<void> => {
    while (!over) {
      const at = { call, n }
      n += every
      if ((await run(at)) === 'reached') reached += 1
      else over = true
    }
  }
  // Two at a time: half of a run is waiting for a process.
  await Promise.all([goOn(), goOn()])
  return reached
}
