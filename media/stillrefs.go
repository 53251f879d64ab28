package media

// stillRef is a picture that others may refer to.
type stillRef struct {
	frameNum int
	long     int // LongTermFrameIdx, notLong for a short-term reference
	order    int // PicOrderCnt
}

// notLong stands for the LongTermFrameIdx of pictures that have none.
const notLong = -1

// stillRefs are the reference pictures in a decoder's buffer (ISO/IEC 14496-10 8.2.5), in no order.
type stillRefs struct {
	pictures [maxReferencePictures]stillRef
	n        int
}

func (f *stillRefs) all() []stillRef { return f.pictures[:f.n] }

func (f *stillRefs) remove(i int) {
	f.n--
	f.pictures[i] = f.pictures[f.n]
}

// picNum is PicNum of a short-term reference, seen from a picture with frame_num now (8.2.4.1).
func (p stillRef) picNum(now int, set *stillSet) int {
	if p.frameNum > now {
		return p.frameNum - 1<<set.sps.frameNumBits
	}
	return p.frameNum
}

// newest and oldest return the short-term references with the highest and the lowest PicNum, -1 if there are none.
func (f *stillRefs) newest(now int, set *stillSet) int { return f.extreme(1, now, set) }
func (f *stillRefs) oldest(now int, set *stillSet) int { return f.extreme(-1, now, set) }

func (f *stillRefs) extreme(sign, now int, set *stillSet) int {
	found := -1
	for i, p := range f.all() {
		if p.long == notLong && (found < 0 || sign*p.picNum(now, set) > sign*f.pictures[found].picNum(now, set)) {
			found = i
		}
	}
	return found
}

// slide makes room for one more picture by the sliding window (8.2.5.3).
func (f *stillRefs) slide(now int, set *stillSet) {
	if f.n < int(set.sps.references) {
		return
	}
	if i := f.oldest(now, set); i >= 0 {
		f.remove(i)
	}
}

// canSlide reports whether slide finds room.
func (f *stillRefs) canSlide(set *stillSet) bool {
	return f.n < int(set.sps.references) || f.oldest(0, set) >= 0
}

// add adds a picture. It reports whether there was room.
func (f *stillRefs) add(p stillRef, set *stillSet) bool {
	if f.n >= int(set.sps.references) {
		return false
	}
	f.pictures[f.n] = p
	f.n++
	return true
}

// last returns the reference that is shown last.
func (f *stillRefs) last() (p stillRef, ok bool) {
	for i, q := range f.all() {
		if i == 0 || q.order > p.order {
			p = q
		}
	}
	return p, f.n > 0
}

// listing says how a picture gets to the first place of the list of references: ref_pic_list_modification (7.3.3.1).
type listing struct {
	modified bool
	command  uint32 // modification_of_pic_nums_idc
	operand  uint32
}

// listed returns how p gets to the first place of the list of a P slice of h, which without that begins with the
// newest short-term reference, or the first of the long-term ones (8.2.4.2.1).
func (f *stillRefs) listed(p stillRef, h sliceHead264) listing {
	const subtract, long = 0, 2
	newest := f.newest(h.frameNum, h.set)
	if p.long != notLong {
		return listing{true, long, uint32(p.long)}
	}
	if f.pictures[newest] == p {
		return listing{}
	}
	return listing{true, subtract, uint32(h.frameNum - p.picNum(h.frameNum, h.set) - 1)}
}

func (l listing) write(w *bitWriter) {
	if w.flag(l.modified) { // ref_pic_list_modification_flag_l0
		const end = 3
		w.ue(l.command)
		w.ue(l.operand)
		w.ue(end)
	}
}

// marking is what dec_ref_pic_marking says of the picture it is in.
type marking struct {
	slide bool // nothing of the others: the window slides
	reset bool // memory_management_control_operation 5: counting begins anew, as after an IDR picture
	long  int  // LongTermFrameIdx of the picture
}

// readMarking reads dec_ref_pic_marking (7.3.3.3) of h's picture, and does to f what it says (8.2.5.4). It reports
// whether it understood it. What is to be unmarked and is not there is passed over, as decoders do.
func readMarking(r *bitReader, h sliceHead264, f *stillRefs) (m marking, ok bool) {
	m.long = notLong
	if h.idr {
		r.skip(1)     // no_output_of_prior_pics_flag
		if r.flag() { // long_term_reference_flag
			m.long = 0
		}
		return m, r.err == nil
	}
	if !r.flag() { // adaptive_ref_pic_marking_mode_flag
		m.slide = true
		return m, r.err == nil
	}
	const mostCommands = 2*maxReferencePictures + 4
	for range mostCommands {
		command := r.ue()
		if r.err != nil {
			return m, false
		}
		if command == 0 {
			return m, true
		}
		if !m.obey(command, r, h, f) {
			return m, false
		}
	}
	return m, false
}

// obey does one memory_management_control_operation.
func (m *marking) obey(command uint32, r *bitReader, h sliceHead264, f *stillRefs) bool {
	short := func() int { // the index of the picture that difference_of_pic_nums_minus1 names
		num := h.frameNum - int(r.ue()) - 1
		for i, p := range f.all() {
			if p.long == notLong && p.picNum(h.frameNum, h.set) == num {
				return i
			}
		}
		return -1
	}
	switch command {
	case 1: // a short-term reference is not needed any more
		if i := short(); i >= 0 {
			f.remove(i)
		}
	case 2: // nor is a long-term one
		f.freeLong(int(r.ue()), 1)
	case 3: // a short-term reference becomes a long-term one
		i := short()
		long := int(r.ue())
		if i < 0 || long >= maxReferencePictures {
			return false
		}
		p := f.pictures[i]
		f.remove(i)
		f.freeLong(long, 1)
		p.long = long
		return f.add(p, h.set)
	case 4: // long-term references above a number are not needed any more
		f.freeLong(int(r.ue()), maxReferencePictures)
	case 5:
		f.n, m.reset = 0, true
	case 6: // the picture itself becomes a long-term reference
		if m.long = int(r.ue()); m.long >= maxReferencePictures {
			return false
		}
		f.freeLong(m.long, 1)
	default:
		return false
	}
	return true
}

// freeLong removes the n long-term references from index first on.
func (f *stillRefs) freeLong(first, n int) {
	for i := f.n - 1; i >= 0; i-- {
		if long := f.pictures[i].long; long != notLong && long >= first && long-first < n {
			f.remove(i)
		}
	}
}
