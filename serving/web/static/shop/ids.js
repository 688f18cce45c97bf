// Generates ids. `crypto.randomUUID` is missing on pages that are served over plain HTTP.

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
const random = (size) => crypto.getRandomValues(new Uint8Array(size));

/** Returns a UUIDv7 (RFC 9562) for the current time. */
export const uuid = () => {
  const bytes = random(16);
  let now = Date.now();
  for (let place = 5; place >= 0; place -= 1, now = Math.floor(now / 256)) bytes[place] = now % 256;
  bytes[6] = (bytes[6] & 0x0f) | 0x70;
  bytes[8] = (bytes[8] & 0x3f) | 0x80;
  return hex(bytes).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
};

/** Returns 128 random bits in hexadecimal. */
export const token = () => hex(random(16));
