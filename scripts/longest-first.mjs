import Sequencer from '@jest/test-sequencer'

/** Begins with the suites that take longest: jest takes large files for those, as long as it knows nothing better. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    const isIn = (part) => (test) => test.path.includes(part)
    // A set keeps what is first in it.
    return [...new Set([...LONGEST.flatMap((part) => sorted.filter(isIn(part))), ...sorted])]
  }
}

/** The longest first. */
const LONGEST = [
  '/test/newcomer/newcomer.',
  '/test/newcomer/',
  '/test/api/alike.',
  '/test/integration/guards/lost-history.',
  '/test/api/cache-commands.',
  '/test/chaos/chaos.',
  '/test/api/access-matrix.',
  '/test/api/startup.',
  '/test/integration/values.',
  '/test/integration/oracle.',
]
