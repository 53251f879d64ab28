package media

// Still makes pictures that repeat the one before, for holes in H.264: a P slice in which every macroblock is
// skipped (ISO/IEC 14496-10 7.3.4), some tens of bytes. The zero value is ready. Not safe for concurrent use.
//
// It follows the stream like a decoder does, as far as slice headers go: which pictures can be referred to, how
// they are numbered, in which order they are shown. It follows progressive pictures with pic_order_cnt_type 0
// or 2. For the others, for what it does not understand, and where a picture is missing that was not said to be
// lost, it has no pictures until the next IDR picture or the next Config.
type Still struct {
	lengthSize int
	sets       []stillSet

	// Of the coded video sequence, which an IDR picture begins.

	set  *stillSet // of the picture before; nil while nothing is known
	refs stillRefs
	// frameNum is that of the reference picture before (PrevRefFrameNum).
	frameNum int
	// base is what the next picture order count is told from: see order.
	base int
	// highest is the greatest picture order count: of what was shown last, once all was shown.
	highest  int
	pictures int // how many were seen

	// Of all pictures since Config.

	seen         int
	odd          bool // an odd picture order count was seen: they may be closer than two
	unreferenced bool // a picture was seen that nobody refers to

	between bool // Next put a picture between the one seen last and the one to come
	lost    bool // Next's pictures are referred to: only a keyframe can follow
}

// Config takes the decoder configuration (the body of an avcC) that holds from the next access unit on, which has
// to begin with an IDR picture. It keeps nothing of avcC.
func (s *Still) Config(avcC []byte) {
	*s = Still{}
	s.lengthSize = NALLengthSize(Track{Codec: CodecH264, Config: avcC})
	s.sets = readStillSets(avcC)
}

// See notes an access unit that is published, in decoding order. It reads the beginning of the first slice's
// header, allocates nothing and keeps nothing of data. What Next returned is noted already.
func (s *Still) See(data []byte, randomAccess bool) {
	if s.set == nil && !randomAccess {
		return
	}
	for len(data) > 0 {
		nal, rest, ok := cutNAL(s.lengthSize, data)
		if !ok {
			s.set = nil
			return
		}
		if data = rest; len(nal) == 0 {
			continue
		}
		const partition = 2 // slice data partition A, of the extended profile
		if typ := nal[0] & 31; typ == avcSlice || typ == avcIDR || typ == partition {
			if typ == partition || !s.see(nal) {
				s.set = nil
			}
			return
		}
	}
}

// see notes the picture that slice is the first of. It reports whether it understood it.
func (s *Still) see(slice []byte) bool {
	var buf [maxSliceHead]byte
	r := &bitReader{b: appendUnescaped(buf[:0], slice[1:min(len(slice), maxSliceHead)])}
	h := s.readSliceHead(r, slice[0])
	if r.err != nil || h.set == nil {
		return false
	}
	if h.idr {
		s.refs, s.base, s.highest, s.pictures = stillRefs{}, 0, 0, 0
	} else if s.set == nil || h.set.sps.id != s.set.sps.id || h.frameNum != s.nextFrameNum() {
		return false
	}
	s.set, s.between, s.lost = h.set, false, false
	top, bottom, base := s.order(h)
	if s.odd = s.odd || top&1 != 0 || top != bottom; !h.reference {
		s.unreferenced = true
		s.base = base
	} else {
		m, ok := readMarking(r, h, &s.refs)
		if !ok {
			return false
		}
		if m.reset {
			h.frameNum, base = 0, 0
			if h.set.sps.pocType == 0 {
				base = top - min(top, bottom)
			}
			top, bottom = top-min(top, bottom), bottom-min(top, bottom)
			s.pictures, s.highest = 0, 0
		}
		if !s.keep(h, m, min(top, bottom), base) {
			return false
		}
	}
	s.highest = max(s.highest, top, bottom)
	s.pictures++
	s.seen++
	return true
}

// keep notes a picture that others may refer to.
func (s *Still) keep(h sliceHead264, m marking, order, base int) bool {
	if m.slide {
		s.refs.slide(h.frameNum, h.set)
	}
	s.frameNum, s.base = h.frameNum, base
	return s.refs.add(stillRef{frameNum: h.frameNum, long: m.long, order: order}, h.set)
}

// nextFrameNum is the frame_num of the picture after the one seen last, whether others refer to it or not (7.4.3).
func (s *Still) nextFrameNum() int { return (s.frameNum + 1) & (1<<s.set.sps.frameNumBits - 1) }

// order returns the picture order counts of a picture's two fields (8.2.1), and the base for the next picture, if
// this one takes place: for type 0 the picture order count of the last reference picture, for type 2 the frame_num
// of the last picture, both with the bits that the slice header leaves out.
func (s *Still) order(h sliceHead264) (top, bottom, base int) {
	sps := &h.set.sps
	if sps.pocType == 2 {
		span := 1 << sps.frameNumBits
		base = s.base&^(span-1) + h.frameNum
		if base < s.base {
			base += span
		}
		top = 2 * base
		if !h.reference {
			top--
		}
		return top, top, base
	}
	span := 1 << sps.pocBits
	last := s.base & (span - 1)
	top = s.base - last + h.order
	if h.order < last && last-h.order >= span/2 {
		top += span
	} else if h.order > last && h.order-last > span/2 {
		top -= span
	}
	if base = s.base; h.reference {
		base = top
	}
	return top, top + h.orderBottom, base
}

// Next returns an access unit that shows again what is on the screen after all that was seen. The caller has to
// publish it, at once.
//
// What it repeats is the picture with the highest picture order count of those that can be referred to: that is the
// one shown last, unless the encoder made that one for nobody to refer to, and then it is the nearest before it.
//
// With lost set, what follows is known to begin with a keyframe (IDR), so any number may follow each other: they
// are reference pictures, with frame_num counted on. Without, the stream may go on with a picture that refers to
// the ones before. Then it is a picture nobody refers to, which disturbs neither frame_num nor the order of the
// pictures to come; there is none where one may have come already, where pictures that were decoded before their
// turn hold its place, or where the encoder leaves no number free, as far as eight of its pictures tell.
//
// nil: not possible. After a call with lost set it is assumed for all until the next picture is seen.
func (s *Still) Next(lost bool) []byte {
	lost = lost || s.lost
	if s.set == nil || !lost && !s.room() {
		return nil
	}
	h := sliceHead264{set: s.set, reference: lost, frameNum: s.nextFrameNum()}
	want := s.highest + 1 // encoders count by two
	if lost {
		want++
	}
	h.order = want & (1<<s.set.sps.pocBits - 1)
	top, _, base := s.order(h)
	if s.set.sps.pocType == 0 && top != want {
		return nil // too far from the last reference picture to be told from others
	}
	ref, ok := s.refs.last()
	if !ok || lost && !s.refs.canSlide(s.set) {
		return nil
	}
	unit := h.skipped(s.lengthSize, s.refs.listed(ref, h))
	if unit == nil {
		return nil
	}
	if s.between = !lost; lost {
		s.lost = true
		s.highest = top
		s.keep(h, marking{slide: true, long: notLong}, top, base)
	}
	return unit
}

// room reports whether a picture that nobody refers to can stand between the one seen last and whichever comes next.
func (s *Still) room() bool {
	const enough = 8 // pictures, for habits of the encoder to show
	if s.between || s.seen < enough {
		return false
	}
	sps := &s.set.sps
	if sps.pocType == 2 {
		return !s.unreferenced // of two in a row, the second would count as a part of the first
	}
	inOrder := sps.reorderKnown && sps.reorder == 0
	return !s.odd && (inOrder || 2*s.pictures == s.highest+2)
}
