package media_test

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"

	"pushcart/media"
	"pushcart/media/mediatest/record"
)

// bitText writes the fields of a header, as zeros and ones.
type bitText []byte

func (b *bitText) u(n int, v int) {
	for i := n - 1; i >= 0; i-- {
		*b = append(*b, '0'+byte(v>>i&1))
	}
}

func (b *bitText) ue(v int) {
	digits := strconv.FormatInt(int64(v+1), 2)
	b.u(len(digits)-1, 0)
	*b = append(*b, digits...)
}

func (b *bitText) se(v int) {
	if v > 0 {
		b.ue(2*v - 1)
	} else {
		b.ue(-2 * v)
	}
}

func (b *bitText) flag(set bool) bool {
	b.u(1, map[bool]int{true: 1}[set])
	return set
}

// align fills the last byte.
func (b *bitText) align() {
	for len(*b)%8 != 0 {
		b.u(1, 0)
	}
}

// nal ends the RBSP and makes a NAL unit of it.
func (b *bitText) nal(head byte) []byte {
	b.u(1, 1)
	b.align()
	nal, zeros := []byte{head}, 0
	for i := 0; i < len(*b); i += 8 {
		c := byte(0)
		for _, bit := range (*b)[i : i+8] {
			c = c<<1 | bit&1
		}
		if zeros >= 2 && c <= 3 {
			nal, zeros = append(nal, 3), 0
		}
		if zeros++; c != 0 {
			zeros = 0
		}
		nal = append(nal, c)
	}
	return nal
}

// randomEncoder makes streams whose pictures are all intra, so that they are free to do with the decoder's buffer what they
// like: they number, reorder, mark and forget pictures at random, by all the rules of ISO/IEC 14496-10 7.4 and 8.2.
type randomEncoder struct {
	*rand.Rand
	frameNumBits, pocBits, pocType, references int
	unit                                       int // of picture order counts, from one picture to the next
	reorder                                    int // pictures decoded before one that is shown before them
	bottomOrder, redundant, deblocking         bool
	width                                      int // in macroblocks; the height is one

	refs     []randomRef
	longs    int // MaxLongTermFrameIdx + 1
	frameNum int // of the last reference picture, with all its bits
	shown    int // when the picture shown last is shown, in pictures
	lastRef  int // when the last reference picture is
	zero     int // when the picture with picture order count zero is shown
	idrs     int

	clip stillClip
}

// randomRef is a reference picture in the decoder's buffer.
type randomRef struct{ unit, frameNum, long, shown int }

func newRandomEncoder(seed uint64) *randomEncoder {
	e := &randomEncoder{Rand: rand.New(rand.NewPCG(seed, 1))}
	e.frameNumBits, e.pocBits, e.pocType = 4+e.IntN(3), 5+e.IntN(3), 2*e.IntN(2)
	e.references = 1 + e.IntN(5)
	if e.pocType == 0 {
		if e.reorder = 2 * e.IntN(2); e.reorder == 0 {
			e.pocBits = 4
		}
		e.unit = 2 - e.IntN(3)/2 // most count fields
	}
	e.bottomOrder, e.redundant, e.deblocking = e.coin(), e.coin(), e.coin()
	e.width = 1 + e.IntN(3)
	e.clip.track = media.Track{ID: 1, Codec: media.CodecH264, Timescale: 25, Config: e.config()}
	return e
}

func (e *randomEncoder) coin() bool { return e.IntN(2) == 0 }

// config writes an avcC.
func (e *randomEncoder) config() []byte {
	sps := bitText{}
	sps.u(24, 77<<16|51)
	sps.ue(0)
	sps.ue(e.frameNumBits - 4)
	sps.ue(e.pocType)
	if e.pocType == 0 {
		sps.ue(e.pocBits - 4)
	}
	sps.ue(e.references)
	sps.flag(false) // no gaps in frame_num
	sps.ue(e.width - 1)
	sps.ue(0)
	sps.flag(true) // frames only
	sps.flag(true) // direct_8x8_inference_flag
	sps.flag(false)
	sps.flag(true) // VUI
	sps.u(8, 0)
	sps.flag(true) // bitstream restrictions
	sps.flag(true)
	sps.ue(0)
	sps.ue(0)
	sps.ue(10)
	sps.ue(10)
	sps.ue(e.reorder)
	sps.ue(16)
	pps := bitText{}
	pps.ue(3) // id
	pps.ue(0)
	pps.flag(false) // CAVLC
	pps.flag(e.bottomOrder)
	pps.ue(0)
	pps.ue(e.IntN(4)) // pictures in the lists
	pps.ue(e.IntN(4))
	pps.flag(e.coin()) // weights
	pps.u(2, e.IntN(3))
	pps.se(e.IntN(40) - 20)
	pps.se(0)
	pps.se(0)
	pps.flag(e.deblocking)
	pps.flag(false)
	pps.flag(e.redundant)
	config := []byte{1, 77, 0, 51, 0xFF}
	for _, nal := range [][]byte{sps.nal(0x67), pps.nal(0x68)} {
		config = append(append(config, 1, 0, byte(len(nal))), nal...)
	}
	return config
}

// gop encodes an IDR picture, and some after it.
func (e *randomEncoder) gop(pictures int) {
	e.picture(e.shown+1, 5, true)
	for n := 1; n < pictures; n++ {
		ahead := e.IntN(e.reorder + 1)
		at := e.shown + 1 + ahead
		e.picture(at, 1, e.IntN(3) > 0)
		for b := at - ahead; b < at; b++ {
			e.picture(b, 1, e.IntN(3) == 0)
			n++
		}
	}
}

// picture encodes one that is shown at a time, as a NAL unit of a type. It can be made a reference where one is due.
func (e *randomEncoder) picture(at int, typ byte, reference bool) {
	const most = 2 // pictures that nobody refers to, before the order is too far from the last reference's
	if at-e.lastRef > most || e.pocType == 2 && e.lastRef < e.shown {
		reference = true
	}
	unit := len(e.clip.units)
	next := e.shown + 1
	e.shown = max(e.shown, at)
	if typ == 5 {
		e.refs, e.longs, e.frameNum, e.zero = nil, 0, -1, at
	}
	b := bitText{}
	b.ue(0)
	b.ue(7) // I
	b.ue(3) // PPS
	b.u(e.frameNumBits, e.frameNum+1)
	if typ == 5 {
		b.ue(e.idrs % 2) // two in a row have different ones
		e.idrs++
	}
	if e.pocType == 0 {
		b.u(e.pocBits, e.unit*(at-e.zero))
		if e.bottomOrder {
			b.se(0)
		}
	}
	if e.redundant {
		b.ue(0)
	}
	head := typ
	if reference {
		head |= 0x20
		e.lastRef = at
		e.mark(&b, randomRef{unit, e.frameNum + 1, -1, at}, typ == 5, at == next)
	}
	b.se(0) // slice_qp_delta
	if e.deblocking {
		b.ue(1)
	}
	for range e.width {
		b.ue(25) // I_PCM
		b.align()
		look := e.IntN(200) + 20
		for range 384 {
			b.u(8, look)
		}
	}
	nal := b.nal(head)
	e.clip.units = append(e.clip.units, media.AccessUnit{
		Track: 1, PTS: int64(at), RandomAccess: typ == 5, Data: append([]byte{0, 0, byte(len(nal) >> 8), byte(len(nal))}, nal...),
	})
	last := slices.MaxFunc(e.refs, func(a, b randomRef) int { return a.shown - b.shown })
	e.clip.repeats = append(e.clip.repeats, last.unit)
	e.clip.full = append(e.clip.full, len(e.refs) == e.references && len(e.shorts()) == 0)
}

// shorts returns the indices of the short-term references.
func (e *randomEncoder) shorts() (at []int) {
	for i, r := range e.refs {
		if r.long < 0 {
			at = append(at, i)
		}
	}
	return at
}

// mark writes dec_ref_pic_marking for a picture, and does what it says.
func (e *randomEncoder) mark(b *bitText, self randomRef, idr, mayReset bool) {
	e.frameNum = self.frameNum
	defer func() { e.refs = append(e.refs, self) }()
	if idr {
		b.flag(false)
		if b.flag(e.IntN(4) == 0) {
			self.long, e.longs = 0, 1
		}
		return
	}
	const old = 10       // before frame_num may wrap around to the same
	shorts := e.shorts() // the oldest first
	aged := len(shorts) > 0 && self.frameNum-e.refs[shorts[0]].frameNum > old
	full := len(e.refs) == e.references
	if !b.flag(e.IntN(3) == 0 || aged || full && len(shorts) == 0) {
		if full {
			e.refs = slices.Delete(e.refs, shorts[0], shorts[0]+1)
		}
		return
	}
	if mayReset && e.IntN(5) == 0 {
		b.ue(5)
		b.ue(0)
		self.frameNum = 0
		e.refs, e.longs, e.frameNum, e.zero = nil, 0, 0, self.shown
		return
	}
	if aged {
		e.forget(b, self, shorts[0])
	}
	for range e.IntN(4) {
		e.command(b, self)
	}
	if e.IntN(3) == 0 {
		e.needLongs(b)
		self.long = e.IntN(e.longs)
		e.freeLongs(self.long, self.long+1)
	}
	for len(e.refs) >= e.references {
		e.forget(b, self, e.IntN(len(e.refs)))
	}
	if self.long >= 0 {
		b.ue(6)
		b.ue(self.long)
	}
	b.ue(0)
}

// command writes one that is possible, if there is one.
func (e *randomEncoder) command(b *bitText, self randomRef) {
	if len(e.refs) == 0 {
		return
	}
	i := e.IntN(len(e.refs))
	switch e.IntN(4) {
	case 0:
		e.forget(b, self, i)
	case 1:
		e.setLongs(b, e.IntN(4))
	default:
		if e.refs[i].long >= 0 {
			return
		}
		e.needLongs(b)
		long := e.IntN(e.longs)
		b.ue(3)
		b.ue(self.frameNum - e.refs[i].frameNum - 1)
		b.ue(long)
		ref := e.refs[i].unit
		e.freeLongs(long, long+1)
		e.refs[slices.IndexFunc(e.refs, func(r randomRef) bool { return r.unit == ref })].long = long
	}
}

func (e *randomEncoder) forget(b *bitText, self randomRef, i int) {
	if r := e.refs[i]; r.long < 0 {
		b.ue(1)
		b.ue(self.frameNum - r.frameNum - 1)
	} else {
		b.ue(2)
		b.ue(r.long)
	}
	e.refs = slices.Delete(e.refs, i, i+1)
}

// setLongs allows n long-term references, from index 0 on.
func (e *randomEncoder) setLongs(b *bitText, n int) {
	b.ue(4)
	b.ue(n)
	e.longs = n
	e.freeLongs(n, 1<<10)
}

func (e *randomEncoder) needLongs(b *bitText) {
	if e.longs == 0 {
		e.setLongs(b, 1+e.IntN(e.references))
	}
}

func (e *randomEncoder) freeLongs(from, before int) {
	e.refs = slices.DeleteFunc(e.refs, func(r randomRef) bool { return r.long >= from && r.long < before })
}

// TestStillMarking fills holes in streams that number, order, mark and forget their pictures in all ways there are.
func TestStillMarking(t *testing.T) {
	record.FFmpeg(t)
	between := 0
	for seed := range uint64(16) {
		t.Run(strconv.FormatUint(seed, 10), func(t *testing.T) {
			e := newRandomEncoder(seed)
			for range 3 {
				e.gop(20)
			}
			e.clip.look(t)
			e.clip.lost(t, 20)
			n := e.clip.between(t)
			if n > 0 && e.unit == 1 && e.pocType == 0 {
				t.Errorf("%d pictures between others where no number is free", n)
			}
			between += n
		})
	}
	if between < 100 {
		t.Errorf("%d pictures between others", between)
	}
}

// Two pictures in a row that nobody refers to must not be where pictures are shown as they are decoded (7.4.2.1.1,
// pic_order_cnt_type 2): as the encoder may make one next, Still makes none between its pictures.
func TestStillLeavesOneInARow(t *testing.T) {
	checked := 0
	for seed := range uint64(20) {
		e := newRandomEncoder(seed)
		if e.pocType != 2 {
			continue
		}
		e.gop(30)
		var s media.Still
		s.Config(e.clip.track.Config)
		unreferenced := false
		for i, u := range e.clip.units {
			s.See(u.Data, u.RandomAccess)
			unreferenced = unreferenced || u.Data[4]>>5 == 0
			ahead := s
			if made := ahead.Next(false) != nil; made != (i >= 7 && !unreferenced) {
				t.Fatalf("seed %d, after picture %d: one between %t", seed, i, made)
			}
			checked++
		}
	}
	if checked == 0 {
		t.Error("no stream of that kind")
	}
}

// What was shown last may be too far from the last reference picture for a number behind it (8.2.1.1).
func TestStillTooFar(t *testing.T) {
	e := newRandomEncoder(0)
	for seed := uint64(1); e.pocType != 0 || e.reorder != 0 || e.unit != 2; seed++ {
		e = newRandomEncoder(seed)
	}
	e.gop(1)
	for range 4 {
		e.lastRef = e.shown
		e.picture(e.shown+1, 1, false)
	}
	var s media.Still
	s.Config(e.clip.track.Config)
	for i, u := range e.clip.units {
		s.See(u.Data, u.RandomAccess)
		ahead := s
		// With four bits, counts up to eight more can be told from others.
		if made := ahead.Next(true) != nil; made != (2*(i+1) <= 8) {
			t.Errorf("after picture %d: one more %t", i, made)
		}
	}
}
