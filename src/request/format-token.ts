/** `Stet-As-Of`: a log position and the epoch that it belongs to. Opaque to clients. */
export const formatToken = (position: number, epoch: string): string => `${position}.${epoch}`
