package m3u8

import (
	"slices"
	"strconv"
)

// Append writes the playlist's text to the end of dst and returns the extended slice. It allocates
// only to extend dst.
//
// The text is well-formed whatever the strings hold: bytes that a URI can't have are percent-encoded,
// and quotes and control characters in quoted strings are replaced.
func (m *Media) Append(dst []byte) []byte {
	dst = slices.Grow(dst, m.estimate())
	dst = m.appendHead(dst)
	first := 0
	if m.Skip != nil {
		first = min(max(m.Skip.Segments, 0), len(m.Segments))
		dst = m.Skip.append(dst, first)
	}
	parts := m.PartTarget > 0
	lastMap := ""
	for i := first; i < len(m.Segments); i++ {
		s := &m.Segments[i]
		dst = s.appendHead(dst, lastMap, parts)
		dst = s.appendTail(dst)
		if s.Map != "" {
			lastMap = s.Map
		}
	}
	if parts && len(m.Open.Parts) > 0 {
		dst = m.Open.appendHead(dst, lastMap, parts)
	}
	if parts {
		dst = m.appendEdge(dst)
	}
	for i := range m.DateRanges {
		dst = m.DateRanges[i].append(dst)
	}
	if m.EndList {
		dst = append(dst, "#EXT-X-ENDLIST\n"...)
	}
	return dst
}

// estimate is a size that is seldom too small, for one growth of dst instead of many.
func (m *Media) estimate() int {
	const head, segment, part, report, dateRange = 512, 128, 112, 96, 320
	parts := len(m.Open.Parts)
	uri := 0
	for i := range m.Segments {
		parts += len(m.Segments[i].Parts)
		uri = max(uri, len(m.Segments[i].URI))
	}
	return head + len(m.Segments)*(segment+uri) + parts*(part+uri) + len(m.Reports)*report + len(m.DateRanges)*dateRange
}

// version is the lowest that allows the tags (rfc8216bis 8), or Version where that is higher.
func (m *Media) version() int {
	v := max(m.Version, 3) // decimal EXTINF
	mapped := 6
	if m.IFramesOnly {
		v, mapped = max(v, 4), 5
	}
	if slices.ContainsFunc(m.Segments, func(s Segment) bool { return s.Range.Length > 0 }) {
		v = max(v, 4)
	}
	if m.Open.Map != "" || slices.ContainsFunc(m.Segments, func(s Segment) bool { return s.Map != "" }) {
		v = max(v, mapped)
	}
	if m.Skip != nil {
		v = max(v, 9)
		if m.Skip.V2 {
			v = max(v, 10)
		}
	}
	return v
}

func (m *Media) appendHead(dst []byte) []byte {
	dst = append(dst, "#EXTM3U\n#EXT-X-VERSION:"...)
	dst = appendIntLine(dst, int64(m.version()))
	dst = append(dst, "#EXT-X-TARGETDURATION:"...)
	dst = appendIntLine(dst, int64(m.TargetDuration))
	if m.PartTarget > 0 || m.IFramesOnly && m.PartHoldBack > 0 {
		dst = m.appendServerControl(dst)
	}
	if m.PartTarget > 0 {
		dst = append(dst, "#EXT-X-PART-INF:PART-TARGET="...)
		dst = appendTrimmed(dst, m.PartTarget, down)
		dst = append(dst, '\n')
	}
	dst = append(dst, "#EXT-X-MEDIA-SEQUENCE:"...)
	dst = appendIntLine(dst, m.MediaSequence)
	dst = append(dst, "#EXT-X-DISCONTINUITY-SEQUENCE:"...)
	dst = appendIntLine(dst, m.DiscontinuitySequence)
	if m.IndependentSegments {
		dst = append(dst, "#EXT-X-INDEPENDENT-SEGMENTS\n"...)
	}
	if m.IFramesOnly {
		dst = append(dst, "#EXT-X-I-FRAMES-ONLY\n"...)
	}
	return dst
}

// appendServerControl writes hold-backs rounded up, as they have a minimum, and a part target is
// rounded down.
func (m *Media) appendServerControl(dst []byte) []byte {
	dst = append(dst, "#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES"...)
	if m.CanSkipUntil > 0 {
		dst = append(dst, ",CAN-SKIP-UNTIL="...)
		dst = appendTrimmed(dst, m.CanSkipUntil, up)
		dst = append(dst, ",CAN-SKIP-DATERANGES=YES"...)
	}
	if m.HoldBack > 0 {
		dst = append(dst, ",HOLD-BACK="...)
		dst = appendTrimmed(dst, m.HoldBack, up)
	}
	dst = append(dst, ",PART-HOLD-BACK="...)
	dst = appendTrimmed(dst, m.PartHoldBack, up)
	return append(dst, '\n')
}

// append writes the tag for n skipped segments. The list of removed date ranges is there in a v2
// update even if it is empty (rfc8216bis 4.4.5.2).
func (k *Skip) append(dst []byte, n int) []byte {
	dst = append(dst, "#EXT-X-SKIP:SKIPPED-SEGMENTS="...)
	dst = strconv.AppendInt(dst, int64(n), 10)
	if k.V2 {
		dst = append(dst, `,RECENTLY-REMOVED-DATERANGES="`...)
		for i, id := range k.Removed {
			if i > 0 {
				dst = append(dst, '\t')
			}
			dst = appendText(dst, id)
		}
		dst = append(dst, '"')
	}
	return append(dst, '\n')
}

// appendHead writes what stands before a segment's EXTINF. What holds for the whole segment goes before
// its first part (rfc8216bis 4.4.4.9).
func (s *Segment) appendHead(dst []byte, lastMap string, parts bool) []byte {
	if s.Discontinuity {
		dst = append(dst, "#EXT-X-DISCONTINUITY\n"...)
	}
	if s.Map != "" && s.Map != lastMap {
		dst = append(dst, `#EXT-X-MAP:URI="`...)
		dst = appendURI(dst, s.Map)
		dst = append(dst, "\"\n"...)
	}
	if !s.ProgramDate.IsZero() {
		dst = append(dst, "#EXT-X-PROGRAM-DATE-TIME:"...)
		dst = appendTime(dst, s.ProgramDate)
		dst = append(dst, '\n')
	}
	if !parts {
		return dst
	}
	for i := range s.Parts {
		p := &s.Parts[i]
		dst = append(dst, "#EXT-X-PART:DURATION="...)
		dst = appendFixed(dst, p.Duration, 5, down)
		dst = append(dst, `,URI="`...)
		dst = appendURI(dst, p.URI)
		dst = append(dst, '"')
		if p.Independent {
			dst = append(dst, ",INDEPENDENT=YES"...)
		}
		if p.Gap {
			dst = append(dst, ",GAP=YES"...)
		}
		dst = append(dst, '\n')
	}
	return dst
}

func (s *Segment) appendTail(dst []byte) []byte {
	if s.Gap {
		dst = append(dst, "#EXT-X-GAP\n"...)
	}
	dst = append(dst, "#EXTINF:"...)
	dst = appendFixed(dst, s.Duration, 5, nearest)
	dst = append(dst, ",\n"...)
	if s.Range.Length > 0 {
		dst = append(dst, "#EXT-X-BYTERANGE:"...)
		dst = strconv.AppendInt(dst, s.Range.Length, 10)
		dst = append(dst, '@')
		dst = strconv.AppendInt(dst, s.Range.Offset, 10)
		dst = append(dst, '\n')
	}
	dst = appendURILine(dst, s.URI)
	return append(dst, '\n')
}

// appendEdge writes what concerns the live edge. After the end there is nothing to hint at.
func (m *Media) appendEdge(dst []byte) []byte {
	if !m.EndList {
		dst = appendHint(dst, "MAP", m.PreloadMap)
		dst = appendHint(dst, "PART", m.PreloadPart)
	}
	for i := range m.Reports {
		r := &m.Reports[i]
		dst = append(dst, `#EXT-X-RENDITION-REPORT:URI="`...)
		dst = appendURI(dst, r.URI)
		dst = append(dst, `",LAST-MSN=`...)
		dst = strconv.AppendInt(dst, r.LastMSN, 10)
		if r.LastPart >= 0 {
			dst = append(dst, ",LAST-PART="...)
			dst = strconv.AppendInt(dst, int64(r.LastPart), 10)
		}
		dst = append(dst, '\n')
	}
	return dst
}

func appendHint(dst []byte, typ, uri string) []byte {
	if uri == "" {
		return dst
	}
	dst = append(dst, "#EXT-X-PRELOAD-HINT:TYPE="...)
	dst = append(dst, typ...)
	dst = append(dst, `,URI="`...)
	dst = appendURI(dst, uri)
	return append(dst, "\"\n"...)
}

func (d *DateRange) append(dst []byte) []byte {
	dst = append(dst, `#EXT-X-DATERANGE:ID="`...)
	dst = appendText(dst, d.ID)
	if d.Class != "" {
		dst = append(dst, `",CLASS="`...)
		dst = appendText(dst, d.Class)
	}
	dst = append(dst, `",START-DATE="`...)
	dst = appendTime(dst, d.Start)
	dst = append(dst, '"')
	if d.Duration >= 0 {
		dst = append(dst, ",DURATION="...)
		dst = appendFixed(dst, d.Duration, 3, nearest)
	}
	if d.Planned > 0 {
		dst = append(dst, ",PLANNED-DURATION="...)
		dst = appendFixed(dst, d.Planned, 3, nearest)
	}
	for i := range d.Attributes {
		a := &d.Attributes[i]
		if !clientAttribute(a.Name) {
			continue
		}
		dst = append(dst, ',')
		dst = append(dst, a.Name...)
		dst = append(dst, `="`...)
		dst = appendText(dst, a.Value)
		dst = append(dst, '"')
	}
	return append(dst, '\n')
}

// clientAttribute reports whether name is one of rfc8216bis 4.4.5.1: X- and then letters, digits, hyphens.
func clientAttribute(name string) bool {
	if len(name) < 3 || name[:2] != "X-" {
		return false
	}
	for i := 2; i < len(name); i++ {
		if c := name[i]; (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '-' {
			return false
		}
	}
	return true
}
