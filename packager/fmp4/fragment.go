package fmp4

import (
	"encoding/binary"
	"slices"
)

// Sample flags (ISO/IEC 14496-12 8.8.3.1): sample_depends_on and sample_is_non_sync_sample.
const (
	flagsSync    = 0x02000000 // depends on no other sample
	flagsNonSync = 0x01010000 // depends on others, is no sync sample
)

// tfhd flags (8.8.7).
const (
	tfhdDefaultDuration   = 0x000008
	tfhdDefaultSize       = 0x000010
	tfhdDefaultFlags      = 0x000020
	tfhdDefaultBaseIsMoof = 0x020000
)

// trun flags (8.8.8).
const (
	trunDataOffset        = 0x000001
	trunFirstSampleFlags  = 0x000004
	trunDuration          = 0x000100
	trunSize              = 0x000200
	trunFlags             = 0x000400
	trunCompositionOffset = 0x000800
)

const (
	boxHeaderSize  = 8
	fullHeaderSize = 12
	mfhdSize       = fullHeaderSize + 4
	tfdtSize       = fullHeaderSize + 8
	prftSize       = fullHeaderSize + 4 + 8 + 8
)

// shape is how a fragment's boxes are going to be laid out: what one pass over the samples tells.
type shape struct {
	tfhdFlags, trunFlags       uint32
	duration, flags            uint32 // the tfhd's defaults
	styp, events               int    // sizes in bytes
	tfhd, trun, traf, moof     int
	mdat, total, dataOffset    int
	firstFlags, bytesPerSample uint32
}

// shape finds the smallest run that says everything: what is the same for all samples goes into the tfhd.
// CMAF wants the defaults in each traf rather than in the trex (ISO/IEC 23000-19 7.7.3).
func (f *Fragment) shape() shape {
	s := shape{
		tfhdFlags: tfhdDefaultBaseIsMoof | tfhdDefaultFlags,
		trunFlags: trunDataOffset | trunSize,
		flags:     flagsSync,
	}
	var payload int
	sameDuration, offsets, laterSync, laterNonSync := true, false, false, false
	for i := range f.Samples {
		x := &f.Samples[i]
		payload += len(x.Data)
		sameDuration = sameDuration && x.Duration == f.Samples[0].Duration
		offsets = offsets || x.CompositionOffset != 0
		if i > 0 {
			laterSync = laterSync || f.sync(x)
			laterNonSync = laterNonSync || !f.sync(x)
		}
	}
	if sameDuration && len(f.Samples) > 0 {
		s.tfhdFlags |= tfhdDefaultDuration
		s.duration = f.Samples[0].Duration
	} else {
		s.trunFlags |= trunDuration
	}
	if offsets {
		s.trunFlags |= trunCompositionOffset
	}
	f.shapeFlags(&s, laterSync, laterNonSync)
	f.measure(&s, payload)
	return s
}

// shapeFlags chooses between a default for all samples, a default and another value for the first one,
// and flags for each sample.
func (f *Fragment) shapeFlags(s *shape, laterSync, laterNonSync bool) {
	if len(f.Samples) == 0 {
		return
	}
	first := f.sync(&f.Samples[0])
	switch {
	case laterSync && laterNonSync:
		s.trunFlags |= trunFlags
		s.flags = flagsNonSync
	case laterSync || (first && !laterNonSync):
		s.flags = flagsSync
		if !first {
			s.trunFlags |= trunFirstSampleFlags
			s.firstFlags = flagsNonSync
		}
	default:
		s.flags = flagsNonSync
		if first {
			s.trunFlags |= trunFirstSampleFlags
			s.firstFlags = flagsSync
		}
	}
}

// sync reports whether x is written as a sync sample; everything that is not video is.
func (f *Fragment) sync(x *Sample) bool { return x.Sync || !f.Video }

func (f *Fragment) measure(s *shape, payload int) {
	if f.Styp {
		s.styp = f.stypSize()
		s.total += s.styp
	}
	if f.PRFT != nil {
		s.total += prftSize
	}
	for i := range f.Events {
		s.total += f.Events[i].size()
	}
	s.tfhd = fullHeaderSize + 4 + 4
	if s.tfhdFlags&tfhdDefaultDuration != 0 {
		s.tfhd += 4
	}
	s.bytesPerSample = 4
	for _, flag := range []uint32{trunDuration, trunFlags, trunCompositionOffset} {
		if s.trunFlags&flag != 0 {
			s.bytesPerSample += 4
		}
	}
	s.trun = fullHeaderSize + 4 + 4 + int(s.bytesPerSample)*len(f.Samples)
	if s.trunFlags&trunFirstSampleFlags != 0 {
		s.trun += 4
	}
	s.traf = boxHeaderSize + s.tfhd + tfdtSize + s.trun
	s.moof = boxHeaderSize + mfhdSize + s.traf
	s.mdat = boxHeaderSize + payload
	s.dataOffset = s.moof + boxHeaderSize
	s.total += s.moof + s.mdat
}

// Size returns the number of bytes that Append is going to add for f.
func (f *Fragment) Size() int {
	s := f.shape()
	return s.total
}

// Sizes returns the number of bytes that Append is going to add for f, and how many of them come before the
// moof box.
func (f *Fragment) Sizes() (total, head int) {
	s := f.shape()
	return s.total, s.total - s.moof - s.mdat
}

// Append writes f to the end of dst and returns the extended slice. It allocates only if dst has not
// the capacity. Sample data is copied: nothing of f is kept.
func (f *Fragment) Append(dst []byte) []byte {
	s := f.shape()
	dst = slices.Grow(dst, s.total)
	if f.Styp {
		dst = f.appendStyp(dst, s.styp)
	}
	if f.PRFT != nil {
		dst = f.PRFT.append(dst, f.TrackID)
	}
	for i := range f.Events {
		dst = f.Events[i].append(dst)
	}
	dst = f.appendMoof(dst, &s)
	dst = appendHeader(dst, s.mdat, "mdat")
	for i := range f.Samples {
		dst = append(dst, f.Samples[i].Data...)
	}
	return dst
}

func (f *Fragment) appendMoof(dst []byte, s *shape) []byte {
	be := binary.BigEndian
	dst = appendHeader(dst, s.moof, "moof")
	dst = appendFullHeader(dst, mfhdSize, "mfhd", 0, 0)
	dst = be.AppendUint32(dst, f.Sequence)
	dst = appendHeader(dst, s.traf, "traf")
	dst = appendFullHeader(dst, s.tfhd, "tfhd", 0, s.tfhdFlags)
	dst = be.AppendUint32(dst, f.TrackID)
	if s.tfhdFlags&tfhdDefaultDuration != 0 {
		dst = be.AppendUint32(dst, s.duration)
	}
	dst = be.AppendUint32(dst, s.flags)
	dst = appendFullHeader(dst, tfdtSize, "tfdt", 1, 0)
	dst = be.AppendUint64(dst, f.BaseTime)
	return f.appendTrun(dst, s)
}

// appendTrun writes the run. Version 1 makes composition offsets signed, so that no edit list is needed
// (ISO/IEC 23000-19 7.7.2).
func (f *Fragment) appendTrun(dst []byte, s *shape) []byte {
	be := binary.BigEndian
	dst = appendFullHeader(dst, s.trun, "trun", 1, s.trunFlags)
	dst = be.AppendUint32(dst, uint32(len(f.Samples)))
	dst = be.AppendUint32(dst, uint32(s.dataOffset))
	if s.trunFlags&trunFirstSampleFlags != 0 {
		dst = be.AppendUint32(dst, s.firstFlags)
	}
	for i := range f.Samples {
		x := &f.Samples[i]
		if s.trunFlags&trunDuration != 0 {
			dst = be.AppendUint32(dst, x.Duration)
		}
		dst = be.AppendUint32(dst, uint32(len(x.Data)))
		if s.trunFlags&trunFlags != 0 {
			flags := uint32(flagsNonSync)
			if f.sync(x) {
				flags = flagsSync
			}
			dst = be.AppendUint32(dst, flags)
		}
		if s.trunFlags&trunCompositionOffset != 0 {
			dst = be.AppendUint32(dst, uint32(x.CompositionOffset))
		}
	}
	return dst
}

// stypSize is that of appendStyp's box.
func (f *Fragment) stypSize() int {
	size := boxHeaderSize + 4 + 4 + 2*4
	if len(f.Events) > 0 {
		size += 4
	}
	return size
}

// appendStyp writes the segment type: a DASH media segment and a CMAF segment, with ID3 in emsg if it
// has events. The brand msix, which others write, would promise a sidx box.
func (f *Fragment) appendStyp(dst []byte, size int) []byte {
	dst = appendHeader(dst, size, "styp")
	dst = append(dst, "msdh\x00\x00\x00\x00msdhcmfs"...)
	if len(f.Events) > 0 {
		dst = append(dst, "aid3"...)
	}
	return dst
}

// append writes p as a prft box for track trackID.
func (p *ProducerTime) append(dst []byte, trackID uint32) []byte {
	be := binary.BigEndian
	dst = appendFullHeader(dst, prftSize, "prft", 1, p.Flags)
	dst = be.AppendUint32(dst, trackID)
	dst = be.AppendUint64(dst, p.NTP)
	return be.AppendUint64(dst, p.MediaTime)
}
