package m3u8

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// maxSkipped bounds the segments that a delta update may say it leaves out.
const maxSkipped = 1 << 20

// ParseMedia reads a media playlist. It is made for what Append writes: it knows the tags that Media has
// fields for, and passes over the others. Byte ranges of parts and initialization segments are an error, as
// they would be lost, and so is one without an offset.
//
// Each segment's Map is the one that is in force. In a delta update, Segments are those that are listed,
// behind Skip; Merge puts the skipped ones back. What it allocates is in proportion to text.
func ParseMedia(text []byte) (*Media, error) {
	p := &mediaParser{m: &Media{}}
	if err := lines(text, p.line); err != nil {
		return nil, err
	}
	p.m.Open = p.segment
	p.m.Open.Map = p.lastMap
	if p.inf {
		return nil, errors.New("m3u8: an EXTINF without a URI at the end")
	}
	if p.m.TargetDuration == 0 {
		return nil, errors.New("m3u8: no EXT-X-TARGETDURATION")
	}
	return p.m, nil
}

type mediaParser struct {
	m       *Media
	segment Segment // the one whose lines are being read
	inf     bool    // it has had its EXTINF
	lastMap string
}

// mediaTags says what each tag does.
var mediaTags = map[string]func(*mediaParser, string) error{
	"#EXT-X-VERSION": func(p *mediaParser, v string) error { return setInt(&p.m.Version, v) },
	"#EXT-X-TARGETDURATION": func(p *mediaParser, v string) error {
		return setInt(&p.m.TargetDuration, v)
	},
	"#EXT-X-MEDIA-SEQUENCE": func(p *mediaParser, v string) (err error) {
		p.m.MediaSequence, err = parseInteger(v)
		return err
	},
	"#EXT-X-DISCONTINUITY-SEQUENCE": func(p *mediaParser, v string) (err error) {
		p.m.DiscontinuitySequence, err = parseInteger(v)
		return err
	},
	"#EXT-X-INDEPENDENT-SEGMENTS": func(p *mediaParser, _ string) error {
		p.m.IndependentSegments = true
		return nil
	},
	"#EXT-X-ENDLIST": func(p *mediaParser, _ string) error {
		p.m.EndList = true
		return nil
	},
	"#EXT-X-DISCONTINUITY": func(p *mediaParser, _ string) error {
		p.segment.Discontinuity = true
		return nil
	},
	"#EXT-X-GAP": func(p *mediaParser, _ string) error {
		p.segment.Gap = true
		return nil
	},
	"#EXT-X-PROGRAM-DATE-TIME": func(p *mediaParser, v string) (err error) {
		p.segment.ProgramDate, err = parseTime(v)
		return err
	},
	"#EXT-X-I-FRAMES-ONLY": func(p *mediaParser, _ string) error {
		p.m.IFramesOnly = true
		return nil
	},
	"#EXT-X-BYTERANGE":        (*mediaParser).byteRange,
	"#EXT-X-SERVER-CONTROL":   (*mediaParser).serverControl,
	"#EXT-X-PART-INF":         (*mediaParser).partInf,
	"#EXT-X-SKIP":             (*mediaParser).skip,
	"#EXT-X-MAP":              (*mediaParser).initMap,
	"#EXT-X-PART":             (*mediaParser).part,
	"#EXTINF":                 (*mediaParser).extinf,
	"#EXT-X-PRELOAD-HINT":     (*mediaParser).hint,
	"#EXT-X-RENDITION-REPORT": (*mediaParser).report,
	"#EXT-X-DATERANGE":        (*mediaParser).dateRange,
}

var errByteRange = errors.New("a byte range, which we don't write")

func (p *mediaParser) line(line string) error {
	tag, value := cutTag(line)
	if tag == "" {
		return p.uri(value)
	}
	if set := mediaTags[tag]; set != nil {
		if err := set(p, value); err != nil {
			return fmt.Errorf("%s: %w", tag[1:], err)
		}
	}
	return nil
}

func (p *mediaParser) byteRange(v string) (err error) {
	length, offset, found := strings.Cut(v, "@")
	if !found {
		return errByteRange
	}
	r := &p.segment.Range
	if r.Length, err = parseInteger(length); err == nil && r.Length == 0 {
		err = errNumber
	}
	if err == nil {
		r.Offset, err = parseInteger(offset)
	}
	return err
}

// uri ends a segment.
func (p *mediaParser) uri(uri string) error {
	if !p.inf {
		return fmt.Errorf("%q has no EXTINF", uri)
	}
	p.segment.URI, p.segment.Map = uri, p.lastMap
	p.m.Segments = append(p.m.Segments, p.segment)
	p.segment, p.inf = Segment{}, false
	return nil
}

func setInt(to *int, s string) error {
	n, err := parseInteger(s)
	if err != nil || n > 1<<30 {
		return fmt.Errorf("%q is %w", s, errNumber)
	}
	*to = int(n)
	return nil
}

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339Nano, s)
	if err != nil {
		return time.Time{}, err
	}
	return t.UTC(), nil
}

func (p *mediaParser) serverControl(v string) error {
	a := parseAttributes(v)
	p.m.CanSkipUntil = a.seconds("CAN-SKIP-UNTIL", 0)
	p.m.HoldBack = a.seconds("HOLD-BACK", 0)
	p.m.PartHoldBack = a.seconds("PART-HOLD-BACK", 0)
	return a.err
}

func (p *mediaParser) partInf(v string) error {
	a := parseAttributes(v)
	p.m.PartTarget = a.seconds("PART-TARGET", 0)
	if p.m.PartTarget == 0 {
		a.fail("no PART-TARGET")
	}
	return a.err
}

func (p *mediaParser) skip(v string) error {
	a := parseAttributes(v)
	n := a.integer("SKIPPED-SEGMENTS", -1)
	if n < 0 || n > maxSkipped {
		a.fail("SKIPPED-SEGMENTS is missing, or above %d", maxSkipped)
	}
	if p.m.Skip != nil || len(p.m.Segments) > 0 {
		a.fail("not the first, or behind a segment")
	}
	p.m.Skip = &Skip{Segments: int(n)}
	if _, ok := a.find("RECENTLY-REMOVED-DATERANGES"); ok {
		p.m.Skip.V2 = true
		if ids := a.text("RECENTLY-REMOVED-DATERANGES"); ids != "" {
			p.m.Skip.Removed = strings.Split(ids, "\t")
		}
	}
	return a.err
}

func (p *mediaParser) initMap(v string) error {
	a := parseAttributes(v)
	p.lastMap = a.required("URI")
	if _, ok := a.find("BYTERANGE"); ok {
		a.fail("%w", errByteRange)
	}
	if len(p.segment.Parts) > 0 {
		a.fail("behind the first part of its segment")
	}
	return a.err
}

func (p *mediaParser) part(v string) error {
	a := parseAttributes(v)
	x := Part{
		URI:         a.required("URI"),
		Duration:    a.seconds("DURATION", -1),
		Independent: a.yes("INDEPENDENT"),
		Gap:         a.yes("GAP"),
	}
	if x.Duration < 0 {
		a.fail("no DURATION")
	}
	if _, ok := a.find("BYTERANGE"); ok {
		a.fail("%w", errByteRange)
	}
	p.segment.Parts = append(p.segment.Parts, x)
	return a.err
}

func (p *mediaParser) extinf(v string) (err error) {
	v, _, _ = strings.Cut(v, ",")
	p.segment.Duration, err = parseSeconds(v)
	p.inf = true
	return err
}

func (p *mediaParser) hint(v string) error {
	a := parseAttributes(v)
	to := &p.m.PreloadPart
	switch typ := a.word("TYPE"); typ {
	case "PART":
	case "MAP":
		to = &p.m.PreloadMap
	default:
		return fmt.Errorf("TYPE=%s", typ)
	}
	if *to != "" {
		a.fail("the second of its TYPE")
	}
	*to = a.required("URI")
	return a.err
}

func (p *mediaParser) report(v string) error {
	a := parseAttributes(v)
	r := RenditionReport{
		URI:      a.required("URI"),
		LastMSN:  a.integer("LAST-MSN", -1),
		LastPart: int(a.integer("LAST-PART", -1)),
	}
	if r.LastMSN < 0 {
		a.fail("no LAST-MSN")
	}
	p.m.Reports = append(p.m.Reports, r)
	return a.err
}

func (p *mediaParser) dateRange(v string) error {
	a := parseAttributes(v)
	d := DateRange{
		ID:       a.required("ID"),
		Class:    a.text("CLASS"),
		Duration: a.seconds("DURATION", -1),
		Planned:  a.seconds("PLANNED-DURATION", 0),
	}
	start, err := parseTime(a.required("START-DATE"))
	if err != nil {
		a.fail("START-DATE: %w", err)
	}
	d.Start = start
	for _, x := range a.list {
		if strings.HasPrefix(x.name, "X-") {
			d.Attributes = append(d.Attributes, Attribute{Name: x.name, Value: x.value})
		}
	}
	p.m.DateRanges = append(p.m.DateRanges, d)
	return a.err
}
