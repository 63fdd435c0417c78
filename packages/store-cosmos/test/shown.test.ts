// shown.test.ts: what the README shows does what it says.
import { expect, test } from 'vitest'
import { defaultKey, models } from './service.ts'
import { connect, count, open } from './shown.ts'
import { indexing } from './stage.ts'

test.each(models)('the program of the README counts $name', async (place) => {
  await using opened = await place.open({ indexingPolicy: indexing } as never)
  connect('https://interstate.test', { key: defaultKey }).dispose()
  const documents = await open(opened.container)
  expect((await count(documents)).outcome).toBe('ok')
  expect((await count(documents)).outcome).toBe('ok')
  expect(await documents.read({ shard: 17, entity: 'order/42' }, 'head')).toMatchObject({ document: { n: 2 } })
})
