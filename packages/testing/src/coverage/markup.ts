// markup.ts: HTML from templates. What is put in is text and is escaped, unless it is markup itself.
import { htmlEscape } from 'escape-goat'

/** HTML that was made here. */
export class Markup {
  readonly html: string

  constructor(html: string) {
    this.html = html
  }
}

/** What a template takes. `undefined` and `false` leave nothing. */
export type Part = string | number | Markup | undefined | false | readonly Part[]

/** A piece of HTML. */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(
    strings.map((text, index) => `${text}${index < parts.length ? rendered(parts[index]) : ''}`).join(''),
  )
}

function rendered(part: Part): string {
  if (part === undefined || part === false) return ''
  if (part instanceof Markup) return part.html
  if (typeof part === 'string' || typeof part === 'number') return htmlEscape(String(part))
  return part.map(rendered).join('')
}

/** For who listens to the page instead of looking at it. */
export function spoken(text: string): Markup {
  return html`<span class="spoken">${text}</span>`
}
