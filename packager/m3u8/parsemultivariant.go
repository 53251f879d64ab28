package m3u8

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// ParseMultivariant reads a multivariant playlist as Append writes it: it knows the tags that Multivariant
// has fields for, and passes over the others.
func ParseMultivariant(text []byte) (*Multivariant, error) {
	p := &multivariantParser{m: &Multivariant{}}
	if err := lines(text, p.line); err != nil {
		return nil, err
	}
	if p.open {
		return nil, errors.New("m3u8: an EXT-X-STREAM-INF without a URI at the end")
	}
	return p.m, nil
}

type multivariantParser struct {
	m    *Multivariant
	open bool // the last variant has no URI yet
}

func (p *multivariantParser) line(line string) error {
	tag, value := cutTag(line)
	var err error
	switch tag {
	case "":
		if !p.open {
			return fmt.Errorf("%q has no EXT-X-STREAM-INF", value)
		}
		p.m.Variants[len(p.m.Variants)-1].URI = value
		p.open = false
		return nil
	case "#EXT-X-INDEPENDENT-SEGMENTS":
		p.m.IndependentSegments = true
	case "#EXT-X-SESSION-DATA":
		err = p.sessionData(value)
	case "#EXT-X-MEDIA":
		err = p.media(value)
	case "#EXT-X-STREAM-INF":
		err = p.streamInf(value)
	case "#EXT-X-I-FRAME-STREAM-INF":
		err = p.iframeStreamInf(value)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", tag[1:], err)
	}
	return nil
}

func (p *multivariantParser) sessionData(v string) error {
	a := parseAttributes(v)
	p.m.SessionData = append(p.m.SessionData, Attribute{Name: a.required("DATA-ID"), Value: a.text("URI")})
	return a.err
}

func (p *multivariantParser) media(v string) error {
	a := parseAttributes(v)
	if a.word("TYPE") != "AUDIO" {
		return a.err
	}
	r := AudioRendition{
		Group:      a.required("GROUP-ID"),
		Name:       a.required("NAME"),
		Language:   a.text("LANGUAGE"),
		URI:        a.text("URI"),
		Default:    a.yes("DEFAULT"),
		AutoSelect: a.yes("AUTOSELECT"),
		StableID:   a.text("STABLE-RENDITION-ID"),
	}
	if s := a.text("CHANNELS"); s != "" {
		count, _, _ := strings.Cut(s, "/")
		if err := setInt(&r.Channels, count); err != nil {
			a.fail("CHANNELS: %w", err)
		}
	}
	p.m.Audio = append(p.m.Audio, r)
	return a.err
}

func (p *multivariantParser) streamInf(v string) error {
	if p.open {
		return errors.New("the one before has no URI")
	}
	a := parseAttributes(v)
	x := a.variant()
	x.AudioGroup, x.Name = a.text("AUDIO"), a.text("NAME")
	x.FrameRate = a.number("FRAME-RATE")
	captions, _ := a.find("CLOSED-CAPTIONS") // else it names a group of them
	none := captions.value == "NONE" && !captions.quoted
	if len(p.m.Variants) > 0 && none != p.m.NoCaptions {
		a.fail("CLOSED-CAPTIONS=NONE stands at some variants and not at others")
	}
	p.m.NoCaptions = none
	p.m.Variants = append(p.m.Variants, x)
	p.open = true
	return a.err
}

func (p *multivariantParser) iframeStreamInf(v string) error {
	a := parseAttributes(v)
	x := a.variant()
	x.URI = a.required("URI")
	p.m.IFrames = append(p.m.IFrames, x)
	return a.err
}

// variant reads the attributes that all variants have.
func (a *attributes) variant() Variant {
	x := Variant{
		Bandwidth:        int(a.integer("BANDWIDTH", 0)),
		AverageBandwidth: int(a.integer("AVERAGE-BANDWIDTH", 0)),
		VideoRange:       a.word("VIDEO-RANGE"),
		Score:            a.number("SCORE"),
		StableID:         a.text("STABLE-VARIANT-ID"),
	}
	if x.Bandwidth <= 0 {
		a.fail("no BANDWIDTH")
	}
	if s := a.text("CODECS"); s != "" {
		x.Codecs = strings.Split(s, ",")
	}
	if s := a.word("RESOLUTION"); s != "" {
		width, height, _ := strings.Cut(s, "x")
		if err := errors.Join(setInt(&x.Width, width), setInt(&x.Height, height)); err != nil {
			a.fail("RESOLUTION: %w", err)
		}
	}
	return x
}

// number reads a decimal-floating-point above zero; zero stands for its absence.
func (a *attributes) number(name string) float64 {
	s := a.word(name)
	if s == "" {
		return 0
	}
	n, err := strconv.ParseFloat(s, 64)
	if err != nil || n <= 0 || strings.Trim(s, "0123456789.") != "" {
		a.fail("%s %q is %w", name, s, errNumber)
	}
	return n
}
