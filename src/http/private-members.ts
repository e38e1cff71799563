/** Which members of Node's HTTP classes may be used that aren't public. None, until `checkPrivateMembers` has tried them in this process. */
export const privateMembers = { push: false, send: false, order: false }
