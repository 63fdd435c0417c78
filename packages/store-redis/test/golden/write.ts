// write.ts: writes a golden file. npx node --conditions=@interstate/source write.ts store-v2.json
import { writeFileSync } from 'node:fs'
import { startServer } from '../servers.ts'
import { contents, fill } from './store.ts'

await using server = await startServer()
const client = server.client()
await fill(client)
const text = JSON.stringify(await contents(client), undefined, 2)
// What no editor shows is spelled out.
const ascii = text.replace(/[^\n -~]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
writeFileSync(process.argv[2] ?? '', `${ascii}\n`, { flag: 'wx' })
