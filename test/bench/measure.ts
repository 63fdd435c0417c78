// measure.ts: takes one sample in a process of its own and prints it as one line of JSON.
import { runCheck } from './check.ts'
import { w1 } from './counters.ts'
import { runAsk, runCounters, runOrders, runStartup, type Sample } from './hosted.ts'
import { counterMessages, orderMessages, runNaive, runRawStore, runXState } from './limits.ts'
import { w2 } from './orders.ts'

const [, , name = '', size = '0', batch = '256'] = process.argv
const messages = w2.orders * w2.messagesPerOrder

const measurements: Readonly<Record<string, () => Promise<Sample> | Sample>> = {
  w1: () => runCounters(w1),
  'w1-xstate': () => runXState(counterMessages(w1.messages, w1.entities), w1.messages),
  'w1-raw': () => runRawStore(w1.messages, w1.entities, Number(batch)),
  'w1-naive': () => runNaive(counterMessages(w1.messages, w1.entities), w1.messages),
  w2: () => runOrders(w2),
  'w2-xstate': () => runXState(orderMessages(w2.orders), w2.orders),
  'w2-raw': () => perOrder(runRawStore(messages, 2 * w2.orders, Number(batch))),
  'w2-naive': () => runNaive(orderMessages(w2.orders), w2.orders),
  check: runCheck,
  ask: () => runAsk({ perSecond: Number(size) }),
  startup: () => runStartup({ entities: Number(size) }),
  growth: () => runCounters({ messages: Math.max(50_000, Number(size)), entities: Number(size), inFlight: 1_000 }),
}

function perOrder(sample: Sample): Sample {
  return { ...sample, perSecond: sample.perSecond / w2.messagesPerOrder }
}

const measure = measurements[name]
if (measure === undefined) throw new Error(`There is no measurement "${name}".`)
// The first round is for the compiler: a host runs for days, and is measured as it is after its first second.
if (name.startsWith('w') || name === 'check') await measure()
process.stdout.write(`${JSON.stringify(await measure())}\n`)
