package fmp4

import (
	"errors"
	"fmt"
)

// Limits of ReadFragment. Nothing is allocated from a declared length.
const (
	maxReadSamples = 1 << 16
	maxReadEvents  = 1 << 10
)

// ReadSample is a sample that ReadFragment found.
type ReadSample struct {
	DTS               uint64 // ticks of the media timescale
	Duration          uint32
	CompositionOffset int32
	Sync              bool
	Data              []byte // points into what was read
}

// PTS is the sample's presentation time in ticks.
func (s ReadSample) PTS() int64 { return int64(s.DTS) + int64(s.CompositionOffset) }

// Parsed is what ReadFragment finds: one or more fragments in a row, a part or a whole segment.
type Parsed struct {
	Sequence []uint32 // of each moof
	TrackID  uint32
	// BaseTime is the first fragment's tfdt.
	BaseTime uint64
	Styp     []string // brands, if there is one
	PRFT     []ProducerTime
	Events   []Event
	Samples  []ReadSample
	// Flags are those of the last fragment's tfhd and trun.
	TfhdFlags, TrunFlags uint32
}

// End is the decode time behind the last sample.
func (p *Parsed) End() uint64 {
	if len(p.Samples) == 0 {
		return p.BaseTime
	}
	last := p.Samples[len(p.Samples)-1]
	return last.DTS + uint64(last.Duration)
}

// ReadFragment reads whole fragments as Fragment writes them: one traf and one trun to the moof, offsets
// from the moof, sizes and durations in the run or the tfhd.
func ReadFragment(b []byte) (*Parsed, error) {
	r := &fragmentReader{file: b, p: &Parsed{}}
	if err := Walk(b, r.visit); err != nil {
		return nil, err
	}
	if len(r.p.Sequence) == 0 {
		return nil, errors.New("fmp4: there is no moof")
	}
	if r.pending {
		return nil, errors.New("fmp4: there is no mdat behind the last moof")
	}
	return r.p, nil
}

// fragmentReader keeps what belongs to the moof that is being read.
type fragmentReader struct {
	file            []byte
	p               *Parsed
	moof            int // offset
	pending         bool
	duration, flags uint32
	size            uint32
	time            uint64
	first           int   // index of its first sample
	data, next      int64 // where the run's data begins, and its next sample, from the file's beginning
}

func (r *fragmentReader) visit(x Box) error {
	f := &fields{b: x.Data}
	switch x.Type {
	case "styp":
		f.take(8)
		for len(f.b) >= 4 && len(r.p.Styp) < maxReadBrands {
			r.p.Styp = append(r.p.Styp, string(f.take(4)))
		}
	case "prft":
		r.prft(f)
	case "emsg":
		r.emsg(f)
	case "moof":
		if r.pending {
			return errors.New("fmp4: two moofs without an mdat between them")
		}
		r.moof, r.pending, r.first = x.Offset, true, len(r.p.Samples)
		r.data, r.next = 0, 0
	case "mfhd":
		f.full()
		r.p.Sequence = append(r.p.Sequence, f.u32())
	case "tfhd":
		r.tfhd(f)
	case "tfdt":
		version, _ := f.full()
		r.time = f.wide(version)
		if r.first == 0 && len(r.p.Samples) == 0 {
			r.p.BaseTime = r.time
		}
	case "trun":
		r.trun(f)
	case "mdat":
		return r.mdat(x)
	}
	return inBox(x, f.err)
}

func (r *fragmentReader) prft(f *fields) {
	version, flags := f.full()
	f.u32() // reference_track_ID
	t := ProducerTime{Flags: flags, NTP: f.u64(), MediaTime: f.wide(version)}
	r.p.PRFT = append(r.p.PRFT, t)
}

func (r *fragmentReader) emsg(f *fields) {
	if version, _ := f.full(); version != 1 && f.err == nil {
		f.err = fmt.Errorf("has version %d, not 1", version)
	}
	e := Event{Timescale: f.u32(), PresentationTime: f.u64(), Duration: f.u32(), ID: f.u32()}
	e.Scheme, e.Value = f.cString(), f.cString()
	e.Data = f.b
	if len(r.p.Events) >= maxReadEvents {
		f.err = fmt.Errorf("is one more than %d", maxReadEvents)
		return
	}
	r.p.Events = append(r.p.Events, e)
}

func (r *fragmentReader) tfhd(f *fields) {
	_, flags := f.full()
	r.p.TfhdFlags = flags
	r.p.TrackID = f.u32()
	if flags&^(tfhdDefaultDuration|tfhdDefaultSize|tfhdDefaultFlags|tfhdDefaultBaseIsMoof) != 0 && f.err == nil {
		f.err = fmt.Errorf("has flags 0x%06x, which we don't write", flags)
	}
	r.duration, r.size, r.flags = 0, 0, 0
	if flags&tfhdDefaultDuration != 0 {
		r.duration = f.u32()
	}
	if flags&tfhdDefaultSize != 0 {
		r.size = f.u32()
	}
	if flags&tfhdDefaultFlags != 0 {
		r.flags = f.u32()
	}
}

func (r *fragmentReader) trun(f *fields) {
	_, flags := f.full()
	r.p.TrunFlags = flags
	n := f.u32()
	switch {
	case f.err != nil:
		return
	case len(r.p.Samples) > r.first:
		f.err = errors.New("is the second of its moof")
		return
	case n > maxReadSamples-uint32(len(r.p.Samples)):
		f.err = fmt.Errorf("has one sample more than %d", maxReadSamples)
		return
	}
	r.data = int64(r.moof)
	if flags&trunDataOffset != 0 {
		r.data += int64(int32(f.u32()))
	}
	r.next = r.data
	firstFlags := r.flags
	if flags&trunFirstSampleFlags != 0 {
		firstFlags = f.u32()
	}
	at := r.time
	for i := uint32(0); i < n && f.err == nil; i++ {
		s, duration, size, sampleFlags := ReadSample{DTS: at}, r.duration, r.size, r.flags
		if i == 0 {
			sampleFlags = firstFlags
		}
		if flags&trunDuration != 0 {
			duration = f.u32()
		}
		if flags&trunSize != 0 {
			size = f.u32()
		}
		if flags&trunFlags != 0 {
			sampleFlags = f.u32()
		}
		if flags&trunCompositionOffset != 0 {
			s.CompositionOffset = int32(f.u32())
		}
		const nonSync = 0x00010000
		s.Duration, s.Sync = duration, sampleFlags&nonSync == 0
		s.Data = r.sampleData(f, int64(size))
		r.p.Samples = append(r.p.Samples, s)
		at += uint64(duration)
	}
}

// sampleData returns the next size bytes of the run's data.
func (r *fragmentReader) sampleData(f *fields, size int64) []byte {
	from, to := r.next, r.next+size
	if f.err == nil && (from < 0 || to > int64(len(r.file))) {
		f.err = errors.New("has a sample outside of the file")
	}
	if f.err != nil {
		return nil
	}
	r.next = to
	return r.file[from:to:to]
}

// mdat checks that the samples of the moof before are this box, all of it.
func (r *fragmentReader) mdat(x Box) error {
	if !r.pending {
		return fmt.Errorf("fmp4: mdat at byte %d without a moof", x.Offset)
	}
	r.pending = false
	from, to := int64(x.Offset+x.Header), int64(x.Offset+x.Header+len(x.Data))
	if r.data != from || r.next != to {
		return fmt.Errorf("fmp4: the samples of the moof at byte %d lie at %d to %d, its mdat at %d to %d",
			r.moof, r.data, r.next, from, to)
	}
	return nil
}
