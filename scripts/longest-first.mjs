import Sequencer from '@jest/test-sequencer'

/** Begins with the suites that take longest: jest takes large files for those, as long as it knows nothing better. */
export default class LongestFirst extends Sequencer {
  sort(tests) {
    const sorted = super.sort(tests)
    const isLong = ({ path }) => LONGEST.some((part) => path.includes(part))
    return [...sorted.filter(isLong), ...sorted.filter((test) => !isLong(test))]
  }
}

const LONGEST = ['/test/chaos/chaos.', '/test/newcomer/', '/test/integration/oracle.']
