package show

// aacConfig returns the AudioSpecificConfig (ISO/IEC 14496-3 1.6.2.1) of AAC-LC, 48 kHz, stereo.
func aacConfig() []byte {
	var w bitWriter
	w.u(5, 2) // audioObjectType: AAC LC
	w.u(4, 3) // samplingFrequencyIndex: 48 kHz
	w.u(4, 2) // channelConfiguration
	w.u(3, 0) // GASpecificConfig: 1024 samples, no core coder, no extension
	return w.buf
}

// silence returns a raw AAC frame (ISO/IEC 14496-3 4.4.2.1) that decodes to silence on both channels,
// with fill elements up to the bit rate.
func silence(bitRate int) []byte {
	var w bitWriter
	w.u(3, 1) // channel pair element
	w.u(4, 0) // its tag
	w.u(1, 0) // no common window
	for range 2 {
		w.u(8, 100) // global_gain; of no account without coefficients
		w.u(4, 0)   // ics_reserved_bit, long window, sine shape
		w.u(6, 0)   // max_sfb: nothing is coded
		w.u(1, 0)   // no prediction
		w.u(3, 0)   // no pulses, TNS, gain control
	}
	size := bitRate * FrameSamples / SampleRate / 8
	for {
		left := size - len(w.buf) - 3
		if left <= 0 {
			break
		}
		w.u(3, 6) // fill element
		n := min(left, 269)
		if n < 15 {
			w.u(4, uint64(n))
		} else {
			w.u(4, 15)
			w.u(8, uint64(n-14))
		}
		w.u(8, 0) // EXT_FILL and its nibble
		for range n - 1 {
			w.u(8, 0xa5)
		}
	}
	w.u(3, 7) // end
	return w.buf
}
