// main.ts: `npm run cosmos-service -- --port 8081`: the service as a server of its own, empty at its start.
import { parseArgs } from 'node:util'
import { type ConsistencyLevel, levels } from './consistency.ts'
import { listen } from './server.ts'
import { CosmosService, defaultKey } from './service.ts'

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8081' },
    key: { type: 'string', default: defaultKey },
    consistency: { type: 'string', default: 'Strong' },
    'lag-ms': { type: 'string', default: '0' },
  },
})

const service = new CosmosService({
  now: Date.now,
  random: Math.random,
  key: values.key,
  consistency: levelNamed(values.consistency),
  maxLagMs: Number(values['lag-ms']),
})
const { endpoint } = await listen(service, Number(values.port))
console.log(`A model of Azure Cosmos DB (${service.settings.consistency}) listens at ${endpoint}`)
console.log(`Its key: ${values.key}`)
console.log('Items live as long as this process.')

function levelNamed(name: string): ConsistencyLevel {
  const level = levels.find((candidate) => candidate.toLowerCase() === name.toLowerCase())
  if (level === undefined) throw new Error(`--consistency is one of ${levels.join(', ')}.`)
  return level
}
