// What the check of the first transfer finds is what the tutorial shows, and its token brings it up again.
import { send, WorldError, world } from '@interstate/testing'
import { expect, test } from 'vitest'
import { Account, account } from '../src/account.ts'
import { transfer } from '../src/first/transfer.ts'
import { Transfer } from '../src/transfer.contract.ts'
import { token } from './token.ts'

// The world of first-world.test.ts.
const bank = world({ entities: [account, transfer] })
  .setup((w) => {
    w.send(Account.at('A'), { type: 'Open', cents: 500 })
    w.send(Account.at('B'), { type: 'Open', cents: 500 })
  })
  .stimuli({ start: [send(Transfer.at('1'), { type: 'Start', from: 'A', to: 'B', cents: 300 })] })
  .always('no money is made', (w) => w.all(account).reduce((sum, { context }) => sum + context.cents, 0) <= 1_000)

test('what is found is what the tutorial shows', async () => {
  const found = await bank.check().catch((error: unknown) => error)
  if (!(found instanceof WorldError)) throw new Error('Nothing was found.', { cause: found })
  expect(found.finding).toBe('INVARIANT_BROKEN no money is made')
  expect(found.story?.steps.map(({ from, to, what }) => `${from} -> ${to} ${what}`)).toEqual([
    'client -> transfer/1 Start',
    'transfer/1 -> account/A Debit',
    'account/A -> transfer/1 account.Debited',
    'transfer/1 -> account/B Credit',
    'time -> transfer/1 timeout "after 1 min in crediting"',
    'transfer/1 -> account/A Credit',
  ])
  const { story, drawing, keep } = parts(found.message)
  await expect(story).toMatchFileSnapshot('output/story.txt')
  await expect(drawing).toMatchFileSnapshot('output/story.mmd')
  await expect(keep).toMatchFileSnapshot('output/keep.txt')
})

test('a token brings its story up again', async () => {
  await expect(bank.replay(token)).rejects.toMatchObject({ finding: 'INVARIANT_BROKEN no money is made' })
})

/** A failure in the pieces in which the page shows it. How a token is compressed differs from one Node to the next. */
function parts(message: string) {
  const [story = '', drawing = '', keep = ''] = message.split(/\n*```(?:mermaid\n)?\n*/)
  return { story: `${story}\n`, drawing: `${drawing}\n`, keep: `${keep.replace(/i1:[\w-]+/, 'i1:LY3LSg…')}\n` }
}
