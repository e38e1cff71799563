import type { Browser } from 'playwright-core'
import { findOnPath } from './find-binaries.ts'
import { installDebianPackage, mayInstallPackages } from './install-debian-package.ts'

/** A real browser without a window: TEST_CHROMIUM, else an installed Chromium or Chrome; as root on Debian it is installed. */
export async function launchChromium(): Promise<Browser> {
  // Here, so that no other suite waits until it is loaded.
  const { chromium } = await import('playwright-core')
  return chromium.launch({ executablePath: findChromium(), args: ARGUMENTS })
}

function findChromium(): string {
  const found = process.env.TEST_CHROMIUM || find()
  if (found) return found
  if (mayInstallPackages()) installDebianPackage('chromium')
  const installed = find()
  if (!installed) throw new Error('found no browser: install Chromium or Chrome, or name its program in TEST_CHROMIUM')
  return installed
}

function find(): string | undefined {
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']
  return names.map(findOnPath).find((path) => path !== undefined)
}

/** Root may not use the sandbox, and nothing here should ask the internet for anything. */
const ARGUMENTS = [
  ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
]
