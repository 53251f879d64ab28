package rtp

import "time"

// Frame is the payloads of one timestamp: a picture, most often.
type Frame struct {
	Timestamp uint32
	Payloads  [][]byte
	Arrived   time.Time // of its first packet
	// Broken says that packets are missing at its end or within it; Payloads is empty then.
	Broken bool
	// AfterGap says that packets are missing before it: its own first ones, whole frames, or both.
	AfterGap bool
	// Continued says that the frame before was taken for whole, and had the same timestamp.
	Continued bool
	// Restart is that of the packets.
	Restart bool
}

// Assembler groups packets in order into frames by their timestamps and markers.
//
// The marker is on a frame's last packet, by all payload formats of video. Some hosts set it on every slice
// or never (FLIR), so that it has to earn trust: until a frame has ended where its only marker was, and
// for good once one has been in the middle of a picture, a frame ends when the next timestamp comes.
type Assembler struct {
	// Picture reports whether a payload holds some of the picture itself. A marker behind one that does
	// not, such as a parameter set in a packet of its own, does not end a frame.
	Picture func(payload []byte) bool

	cur      Frame
	open     bool // cur has packets
	picture  bool // cur has some of its picture
	ended    bool // the marker was on cur's latest packet
	bytes    int
	whole    bool // the frame before was, and has timestamp last
	last     uint32
	trusted  bool
	betrayed bool
}

// Push takes a packet and calls emit with the frames that it completes.
func (a *Assembler) Push(p Ordered, emit func(Frame)) {
	if p.Gap {
		a.gap(emit)
	}
	if a.open && p.Timestamp != a.cur.Timestamp {
		if a.ended && a.picture {
			a.trusted = !a.betrayed
		}
		a.finish(emit)
	}
	if !a.open {
		a.open = true
		a.cur = Frame{
			Timestamp: p.Timestamp, Arrived: p.Arrived, AfterGap: p.Gap, Restart: p.Restart,
			Continued: a.whole && p.Timestamp == a.last && !p.Gap,
		}
	}
	if a.ended && a.picture {
		a.Distrust() // the picture goes on behind its marker
	}
	a.append(p.Payload)
	a.ended = p.Marker
	if p.Marker && a.picture && a.trusted {
		a.finish(emit)
	}
}

// Distrust stops markers from ending frames.
func (a *Assembler) Distrust() { a.trusted, a.betrayed = false, true }

func (a *Assembler) append(payload []byte) {
	a.picture = a.picture || a.Picture == nil || a.Picture(payload)
	if a.cur.Broken {
		return
	}
	a.bytes += len(payload)
	if a.bytes > MaxFrameBytes || len(a.cur.Payloads) == maxFramePackets {
		a.cur.Broken, a.cur.Payloads = true, nil
		return
	}
	a.cur.Payloads = append(a.cur.Payloads, payload)
}

// gap ends the frame before a hole. It is whole if its marker has come.
func (a *Assembler) gap(emit func(Frame)) {
	if !a.open {
		return
	}
	if !(a.ended && a.picture && !a.betrayed) {
		a.cur.Broken, a.cur.Payloads = true, nil
	}
	a.finish(emit)
}

func (a *Assembler) finish(emit func(Frame)) {
	f := a.cur
	a.whole, a.last = !f.Broken, f.Timestamp
	a.cur, a.open, a.picture, a.ended, a.bytes = Frame{}, false, false, false, 0
	emit(f)
}
