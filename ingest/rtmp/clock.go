package rtmp

// unwrapper makes timestamps of 32 bits into ones that do not wrap. Audio, video and data share one,
// so that a jump moves all of them alike. Jumps stay jumps: repairing is the session's business.
type unwrapper struct {
	last    int64
	started bool
}

// media returns the time of an audio or video message in milliseconds: of those congruent to ts the
// one nearest to the message before.
func (u *unwrapper) media(ts uint32) int64 {
	u.last = u.near(ts)
	u.started = true
	return u.last
}

// maxDataSkew is how far, in milliseconds, a data message's time may be from that of the last frame.
const maxDataSkew = 60_000

// data returns the time of a data message. Many encoders send onMetaData with 0 at any time, so one that
// is far from the frames around it gets their time.
func (u *unwrapper) data(ts uint32) int64 {
	t := u.near(ts)
	if u.started && (t-u.last > maxDataSkew || u.last-t > maxDataSkew) {
		return u.last
	}
	return t
}

// maxWrapStep is how far, in milliseconds, a message may be from the one before while the clock wraps.
const maxWrapStep = 60_000

// near returns the time congruent to ts that is nearest to the last one. RTMP's timestamps wrap at 2^32,
// but ffmpeg's and others' at 2^31, after 24 days 20 hours: FLV files call them signed. A step of almost
// exactly 2^31 is such a wrap.
func (u *unwrapper) near(ts uint32) int64 {
	if !u.started {
		return int64(ts)
	}
	step := int64(int32(ts - uint32(u.last)))
	switch {
	case step < maxWrapStep-1<<31:
		step += 1 << 31
	case step > 1<<31-maxWrapStep:
		step -= 1 << 31
	}
	return u.last + step
}
