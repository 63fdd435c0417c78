// coverage-page.test.ts: the page of a coverage in a real browser: what it says, at each width, without a mouse.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import type { AxeResults } from 'axe-core'
import { type Browser, chromium as driver, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { describeWith } from '../crash/needing.ts'
import { chromium, chromiumPath } from '../tools.ts'

/** An example is no part of this package: it writes the page in a process of its own. */
const program = fileURLToPath(new URL('../../examples/potion-shop/test/coverage-page.ts', import.meta.url))
const quietly = ['--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking']
const args = ['--headless', '--no-sandbox', ...quietly, '--disable-component-update', '--disable-sync']
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** Screenshots stay where this names a folder. */
const kept = process.env.INTERSTATE_SCREENSHOTS

describeWith(chromium, 'the coverage of the potion shop in a browser', () => {
  const folder = kept ?? mkdtempSync(join(tmpdir(), 'interstate-page-'))
  const file = join(folder, 'coverage.html')
  let browser: Browser
  beforeAll(async () => {
    execFileSync(process.execPath, ['--conditions=@interstate/source', program, file])
    browser = await driver.launch({ executablePath: chromiumPath() ?? '', args })
  })
  afterAll(async () => {
    await browser?.close()
    if (kept === undefined) rmSync(folder, { recursive: true })
  })

  /** The page, and all that it complained about or asked for. */
  async function open(width: number, colorScheme: 'light' | 'dark' = 'light') {
    const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme, bypassCSP: true })
    const page = await context.newPage()
    const heard: string[] = []
    page.on('console', (message) => heard.push(message.text()))
    page.on('pageerror', (error) => heard.push(String(error)))
    page.on('request', (request) => heard.push(request.url()))
    await page.goto(pathToFileURL(file).href)
    return { page, heard, [Symbol.asyncDispose]: () => context.close() }
  }

  async function cell(page: Page, section: string, message: string, state: string): Promise<string | null> {
    const table = page
      .locator('section', { has: page.getByRole('heading', { name: section, exact: true }) })
      .locator('table.grid')
    const columns = await table.locator('thead th').allTextContents()
    const row = table.locator('tbody tr', { has: page.getByRole('rowheader', { name: message, exact: true }) })
    return row.locator(':scope > *').nth(columns.indexOf(state)).textContent()
  }

  test('says what became of each message in each state', async () => {
    await using opened = await open(1280)
    expect(await cell(opened.page, 'payment', 'Charge', 'open')).toBe('✓ 3 handled')
    expect(await cell(opened.page, 'cart', 'Close', 'closed')).toBe('✗ 1 refused')
    expect(await cell(opened.page, 'fulfilment', 'payment.Charged', 'booking')).toBe('·never tried')
  })

  test('says in words what was never taken and which way a guard never went', async () => {
    await using opened = await open(1280)
    const missed = await opened.page.locator('.transition.missed').allInnerTexts()
    expect(missed.some((text) => /Refund\s.*refunded\s+never taken/s.test(text))).toBe(true)
    expect(await opened.page.getByText('✗ never false').count()).toBeGreaterThan(0)
  })

  test.each([1280, 400] as const)(
    'stands in %i pixels without being moved sideways, and complains of nothing',
    async (width) => {
      for (const scheme of ['light', 'dark'] as const) {
        await using opened = await open(width, scheme)
        const { page, heard } = opened
        const widths = await page.evaluate('[document.documentElement.scrollWidth, innerWidth]')
        expect(widths).toEqual([width, width])
        const path = join(folder, `coverage-${width}-${scheme}.png`)
        await page.screenshot({ path, fullPage: true })
        expect(statSync(path).size).toBeGreaterThan(10_000)
        expect(heard).toEqual([pathToFileURL(file).href])
      }
    },
  )

  test.each(['light', 'dark'] as const)('breaks no rule of accessibility, %s', async (scheme) => {
    await using opened = await open(1280, scheme)
    await opened.page.evaluate(axe)
    const { violations } = (await opened.page.evaluate('axe.run()')) as AxeResults
    expect(violations.map(({ id, nodes }) => `${id}: ${nodes[0]?.html}`)).toEqual([])
  })

  test('is used by keyboard: links lead to states, tables scroll, what is covered can be hidden', async () => {
    await using opened = await open(400)
    const { page } = opened
    await page.keyboard.press('Tab')
    await page.keyboard.press('Tab')
    expect(await page.evaluate('document.activeElement.id')).toBe('only')
    const shown = () => page.locator('.transition:visible').count()
    const before = await shown()
    await page.keyboard.press('Space')
    expect(await shown()).toBeLessThan(before)
    expect(await page.locator('.transition.missed:visible').count()).toBe(
      await page.locator('.transition.missed').count(),
    )
    await page.keyboard.press('Tab')
    await page.keyboard.press('End')
    await page.keyboard.press('ArrowRight')
    await page.waitForFunction("document.querySelector('.scroll').scrollLeft > 0")
    await page.locator('.transition.missed a').first().focus()
    await page.keyboard.press('Enter')
    expect(await page.evaluate("document.querySelector(':target').className")).toContain('state')
  })
})
