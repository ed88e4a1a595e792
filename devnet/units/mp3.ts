/** MPEG-2 Layer III at 24 kHz, 32 kbit/s, mono: 576 samples in 96 bytes (ISO/IEC 13818-3). */
const SAMPLES_PER_FRAME = 576;
const SAMPLES_PER_SECOND = 24_000;
const FRAME_BYTES = 96;

/** One frame of silence: a header, and side information of zeros, which says that no coefficients follow. */
export const SILENT_FRAME = Buffer.concat([Buffer.from([0xff, 0xf3, 0x44, 0xc4]), Buffer.alloc(FRAME_BYTES - 4)]);

/** How long one frame sounds. */
export const SILENT_FRAME_SECONDS = SAMPLES_PER_FRAME / SAMPLES_PER_SECOND;
