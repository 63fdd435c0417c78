// child.ts: a process whose life is told in a file, see client.ts. It is killed sooner or later.
import { readFileSync } from 'node:fs'
import { type Life, live } from './client.ts'

const life = JSON.parse(readFileSync(process.argv[2] ?? '', 'utf8')) as Life
// Not writeSync: the other end may be slow, and that must not be an error here.
await live(life, (line) => process.stdout.write(`${line}\n`))
