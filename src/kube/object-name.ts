/** A name that an object can have. Others are never asked for: `..` and the empty name would lead to another address. */
export const isObjectName = (name: string): boolean => /^[a-z0-9]([-.a-z0-9]{0,251}[a-z0-9])?$/.test(name);
