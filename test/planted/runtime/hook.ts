// hook.ts: plants one bug of the corpus into our own sources while they are loaded. `PLANTED` names it.
import { registerHooks } from 'node:module'
import { runtimeBugs } from './corpus.ts'

const { PLANTED: name } = process.env
const bug = runtimeBugs.find((each) => each.name === name)
if (name !== undefined && bug === undefined) throw new Error(`There is no planted bug "${name}".`)

if (bug !== undefined) {
  const target = new URL(`../../../${bug.file}`, import.meta.url).href
  let isPlanted = false
  registerHooks({
    load(url, context, next) {
      const loaded = next(url, context)
      if (url.split('?')[0] !== target) return loaded
      isPlanted = true
      return { ...loaded, source: plant(String(loaded.source), bug.find, bug.replace) }
    },
  })
  process.on('exit', () => {
    if (isPlanted) return
    process.stderr.write(`${bug.file} was never loaded.\n`)
    process.exitCode = 70
  })
}

/** @throws Error when the place is not there, or there are several: the corpus must be mended. */
function plant(source: string, find: string, replace: string): string {
  const places = source.split(find).length - 1
  if (places !== 1) throw new Error(`"${find}" occurs ${places} times in ${bug?.file}, and must occur once.`)
  return source.replace(find, () => replace)
}
