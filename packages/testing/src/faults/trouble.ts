// trouble.ts: what may befall one write on its way to a store and back, and no more than that.

/**
 * Troubles of one write. A caller may meet each of them with any store, and none of them breaks the promise of the port.
 *
 * - `fails`, `full`, `fenced`: it is refused with that error and has changed nothing.
 * - `killed before`: its process ends before the store hears of it.
 * - `killed after`: it is written, and its process ends before it hears so.
 * - `lands late`: its process ends while the write is on its way; it reaches the store with {@link FaultyStore.land}.
 * - `answer lost`: it is written, its answer is lost, and the driver repeats the identical attempt.
 * - `unknown before`, `unknown after`: the driver gives up and says that it does not know, and the write was not done, or was.
 * - `conflict`: somebody else commits to one of its entities right before it, to the last and the first in turn, and changes
 *   nothing of what is stored there.
 */
export type WriteTrouble =
  | 'fails'
  | 'full'
  | 'fenced'
  | 'killed before'
  | 'killed after'
  | 'lands late'
  | 'answer lost'
  | 'unknown before'
  | 'unknown after'
  | 'conflict'

/** Every {@link WriteTrouble}. */
export const writeTroubles: readonly WriteTrouble[] = [
  'fails',
  'full',
  'fenced',
  'killed before',
  'killed after',
  'lands late',
  'answer lost',
  'unknown before',
  'unknown after',
  'conflict',
]
