package cue

import (
	"cmp"
	"fmt"
	"path"
	"regexp"
	"time"
)

// Off is the value of Config.Dir for no journal.
const Off = "off"

// Config is the room's part of the configuration. The zero value is usable.
type Config struct {
	// Dir is the directory of the journals, one file for each show's name; pushcart-data/cues by default,
	// below the working directory. "off" keeps cues in memory: they do not survive the process.
	Dir string `yaml:"dir"`
	// Resume is how long after a server has died its shows' cues go on when the show begins again; 10
	// minutes by default.
	Resume time.Duration `yaml:"resume"`
	// Delays are for hosts whose tool runs ahead of their uplink. The first that fits counts.
	Delays []Delay `yaml:"delays"`
	// Messages say which data messages of hosts' encoders become cues; onCuePoint, onTextData and cue by
	// default. An empty list turns them off.
	Messages []Message `yaml:"messages"`
}

// Delay is added to the times "now" and "+3s" of some shows' cues.
type Delay struct {
	// Streams is a pattern of shows' names, in which * stands for any characters.
	Streams string        `yaml:"streams"`
	Delay   time.Duration `yaml:"delay"`
}

// Message says what becomes of a host's data messages of one name.
type Message struct {
	// Name is the message's name as it is sent, such as onCuePoint.
	Name string `yaml:"name"`
	// Kind and Slot are for messages that do not say; "message" each by default.
	Kind string `yaml:"kind"`
	Slot string `yaml:"slot"`
	// Duration is how long plain text stays up; 5 s by default.
	Duration time.Duration `yaml:"duration"`
}

const (
	defaultDir      = "pushcart-data/cues"
	defaultResume   = 10 * time.Minute
	maxResume       = 24 * time.Hour
	maxDelay        = 30 * time.Second
	maxDelays       = 1000
	maxMessages     = 100
	defaultTextTime = 5 * time.Second
	maxTextTime     = time.Hour
)

// defaultMessages are what encoders are known to send.
var defaultMessages = []Message{{Name: "onCuePoint"}, {Name: "onTextData"}, {Name: "cue"}}

// WithDefaults returns c with its zero values filled in.
func (c Config) WithDefaults() Config {
	c.Dir = cmp.Or(c.Dir, defaultDir)
	c.Resume = cmp.Or(c.Resume, defaultResume)
	if c.Messages == nil {
		c.Messages = defaultMessages
	}
	messages := make([]Message, len(c.Messages))
	for i, m := range c.Messages {
		messages[i] = m.withDefaults()
	}
	c.Messages = messages
	return c
}

func (m Message) withDefaults() Message {
	m.Kind = cmp.Or(m.Kind, kindMessage)
	m.Slot = cmp.Or(m.Slot, messageSlot)
	m.Duration = cmp.Or(m.Duration, defaultTextTime)
	return m
}

var messageName = regexp.MustCompile(`^[!-~]{1,64}$`)

// Validate checks the bounds. Its errors name the key.
func (c Config) Validate() error {
	switch {
	case c.Resume < 0 || c.Resume > maxResume:
		return fmt.Errorf("resume is %v: it must be between 0s and %v", c.Resume, maxResume)
	case len(c.Delays) > maxDelays:
		return fmt.Errorf("delays has %d entries: at most %d are possible", len(c.Delays), maxDelays)
	case len(c.Messages) > maxMessages:
		return fmt.Errorf("messages has %d entries: at most %d are possible", len(c.Messages), maxMessages)
	}
	for i, d := range c.Delays {
		if _, err := path.Match(d.Streams, ""); err != nil || d.Streams == "" {
			return fmt.Errorf(`delays[%d].streams is %q: it must be a show's name, in which * may stand for any characters`, i, d.Streams)
		}
		if d.Delay < -maxDelay || d.Delay > maxDelay {
			return fmt.Errorf("delays[%d].delay is %v: it must be at most %v", i, d.Delay, maxDelay)
		}
	}
	for i, m := range c.Messages {
		m = m.withDefaults()
		switch {
		case !messageName.MatchString(m.Name):
			return fmt.Errorf("messages[%d].name is %q: it must be the name of a data message, such as onCuePoint", i, m.Name)
		case !validWord(m.Kind):
			return fmt.Errorf("messages[%d].kind is %q: use up to 32 of a-z, 0-9, _ and -", i, m.Kind)
		case !validWord(m.Slot):
			return fmt.Errorf("messages[%d].slot is %q: use up to 32 of a-z, 0-9, _ and -", i, m.Slot)
		case m.Duration < 0 || m.Duration > maxTextTime:
			return fmt.Errorf("messages[%d].duration is %v: it must be at most %v", i, m.Duration, maxTextTime)
		}
	}
	return nil
}

// delay returns what is configured for the show name.
func (c Config) delay(name string) time.Duration {
	for _, d := range c.Delays {
		if ok, _ := path.Match(d.Streams, name); ok {
			return d.Delay
		}
	}
	return 0
}
