package rtsp

import "slices"

// maxDepth is the most pictures that H.264 and HEVC let be decoded ahead of one that is shown before
// them.
const maxDepth = 16

// decodeOrder makes decoding times of presentation times, which are all that RTP carries. The pictures come in
// decoding order; the time at which the i-th is decoded is the i-th smallest presentation time, moved back by
// as many pictures as may be out of order (the depth). That is what encoders write where they can, and
// keeps DTS at or below PTS. Without reordering, DTS is PTS.
type decodeOrder struct {
	depth   int
	row     []int64 // presentation times that no picture has been decoded at yet, in order
	begun   bool
	last    int64 // the latest DTS
	restart bool  // the next picture is the first, or the first after a hole
}

// reset says that the next picture is a keyframe behind a hole, and that up to depth pictures are out of
// order from there on.
func (d *decodeOrder) reset(depth int) {
	d.depth, d.row, d.restart = min(depth, maxDepth), d.row[:0], true
}

// deepen says that more pictures are out of order than was known, from the next one on.
func (d *decodeOrder) deepen(depth int) { d.depth = max(d.depth, min(depth, maxDepth)) }

// alone returns the decoding time of a picture that is behind all that have come in both orders.
func (d *decodeOrder) alone(pts, frame int64) int64 {
	d.reset(d.depth)
	return d.next(pts, frame)
}

// next returns the decoding time of a picture. frame is how long pictures last, which is needed only for the
// first ones.
func (d *decodeOrder) next(pts, frame int64) int64 {
	if d.restart {
		d.restart = false
		for i := d.depth; i > 0; i-- {
			d.row = append(d.row, pts-int64(i)*frame)
		}
	}
	late := d.begun && pts <= d.last && len(d.row) >= d.depth
	if late && d.depth < maxDepth {
		d.depth++ // it ought to have been decoded before: more are out of order than was known
	}
	i, _ := slices.BinarySearch(d.row, pts)
	d.row = slices.Insert(d.row, i, pts)
	dts := d.last + 1
	if len(d.row) > d.depth {
		dts = d.row[0]
		d.row = d.row[1:]
	}
	if d.begun {
		dts = max(dts, d.last+1)
	} else if len(d.row) < d.depth {
		dts = pts
	}
	d.begun, d.last = true, dts
	return dts
}
