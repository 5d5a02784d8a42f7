// Copyright The Nephoscope Authors
// SPDX-License-Identifier: Apache-2.0

package alarm

import (
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/nephoscope/nephoscope/pkg/cloudwatch"
)

// What may stand somewhere in a rule, as CloudWatch lists it.
const (
	wantEnd     = "<EOF>"
	wantOpen    = "'('"
	wantClose   = "')'"
	wantComma   = "','"
	wantAnd     = "'AND'"
	wantOr      = "'OR'"
	wantStates  = "ALARM, OK, or INSUFFICIENT_DATA"
	wantNot     = "'NOT'"
	wantAtom    = wantOpen + ", " + wantNot + ", AT_LEAST, TRUE or FALSE, " + wantStates
	wantNumber  = "NUMBER, PERCENTAGE NUMBER"
	wantAlarm   = "ALARM NAME OR ARN"
	listDivider = ", "
)

// ParseCompositeRule reads a rule of an alarm of the tenant. The error is an [Error] with CloudWatch's message. For the zero
// tenant, alarms of any account and region are taken, and those that are not named by ARN have none of use.
func ParseCompositeRule(text string, t cloudwatch.Tenant) (*CompositeRule, error) {
	var c constraints
	c.length("alarmRule", text, 1, maxRuleLength)
	if err := c.err(); err != nil {
		return nil, err
	}
	if !utf8.ValidString(text) {
		return nil, ruleError("The rule must contain only UTF-8 characters")
	}
	p := ruleParser{
		tokens: ruleTokens(text), tenant: t, rule: &CompositeRule{}, places: make(map[string]int),
	}
	root, err := p.or()
	if err == nil {
		err = p.expect(ruleEnd, wantEnd, true)
	}
	if err == nil {
		err = p.meaning
	}
	if err != nil {
		return nil, err
	}
	switch {
	case p.elements > MaxRuleElements:
		return nil, ruleError("The rule has " + strconv.Itoa(p.elements) + " elements, more than " + strconv.Itoa(MaxRuleElements))
	case p.distinct() > MaxRuleChildren:
		return nil, ruleError("The rule has " + strconv.Itoa(p.distinct()) + " child alarms, more than " +
			strconv.Itoa(MaxRuleChildren))
	}
	p.rule.root = root
	return p.rule, nil
}

// distinct is how many alarms the rule names. In nobody's rule, a name and an ARN with that name may be of the same alarm.
func (p *ruleParser) distinct() int {
	if len(p.rule.children) <= MaxRuleChildren || p.tenant != (cloudwatch.Tenant{}) {
		return len(p.rule.children)
	}
	names := make(map[string]struct{}, len(p.rule.children))
	for i := range p.rule.children {
		names[p.rule.children[i].Name] = struct{}{}
	}
	return len(names)
}

func ruleError(message string) error {
	return validationError("Error in AlarmRule [%s]", message)
}

type ruleParser struct {
	tokens   []ruleToken
	next     int
	depth    int
	tenant   cloudwatch.Tenant
	rule     *CompositeRule
	places   map[string]int // of children, by ARN
	elements int
	// meaning is the first error that is not one of syntax.
	meaning error
}

func (p *ruleParser) token() ruleToken { return p.tokens[p.next] }

// after is the token behind the current one.
func (p *ruleParser) after() ruleToken { return p.tokens[min(p.next+1, len(p.tokens)-1)] }

func (p *ruleParser) unsupported(want string) error {
	t := p.token()
	return ruleError(fmt.Sprintf("Unsupported token '%s' at char %d, must be: %s", t.text, t.at, want))
}

func (p *ruleParser) noteMeaning(err error) {
	if p.meaning == nil {
		p.meaning = err
	}
}

// expect goes past a token. Behind an expression CloudWatch also names the operators that could go on with it, unless the
// rule would be right without the token that is there, or with one more before it.
func (p *ruleParser) expect(kind ruleTokenKind, want string, behindExpression bool) error {
	t := p.token()
	if t.kind == kind {
		if kind != ruleEnd {
			p.next++
		}
		return nil
	}
	superfluous := t.kind != ruleEnd && p.after().kind == kind
	missing := kind == ruleClose && (t.kind == ruleEnd || t.kind == ruleAnd || t.kind == ruleOr)
	if behindExpression && !superfluous && !missing {
		want += listDivider + wantAnd + listDivider + wantOr
	}
	return p.unsupported(want)
}

func (p *ruleParser) or() (ruleNode, error)  { return p.list(true, ruleOr, p.and) }
func (p *ruleParser) and() (ruleNode, error) { return p.list(false, ruleAnd, p.unary) }

// list reads terms with an operator between them. A list in a list of the same operator is part of it.
func (p *ruleParser) list(or bool, operator ruleTokenKind, term func() (ruleNode, error)) (ruleNode, error) {
	first, err := term()
	if err != nil || p.token().kind != operator {
		return first, err
	}
	n := &listNode{or: or}
	n.add(first)
	for p.token().kind == operator {
		p.next++
		t, err := term()
		if err != nil {
			return nil, err
		}
		n.add(t)
	}
	return n, nil
}

func (n *listNode) add(t ruleNode) {
	if inner, ok := t.(*listNode); ok && inner.or == n.or {
		n.terms = append(n.terms, inner.terms...)
		return
	}
	n.terms = append(n.terms, t)
}

func (p *ruleParser) unary() (ruleNode, error) {
	if p.depth++; p.depth > maxRuleNesting {
		return nil, ruleError("The rule nests deeper than " + strconv.Itoa(maxRuleNesting))
	}
	defer func() { p.depth-- }()
	t := p.token()
	switch t.kind {
	case ruleNot:
		p.next++
		x, err := p.unary()
		return notNode{x}, err
	case ruleConstant:
		p.next++
		p.elements++
		return constantNode(t.text == "TRUE"), nil
	case ruleOpen:
		p.next++
		p.elements++
		x, err := p.or()
		if err == nil {
			err = p.expect(ruleClose, wantClose, true)
		}
		return x, err
	case ruleState:
		return p.state()
	case ruleAtLeast:
		return p.atLeast()
	}
	return nil, p.unsupported(wantAtom)
}

func (p *ruleParser) state() (ruleNode, error) {
	n := stateNode{state: State(p.token().text)}
	p.next++
	err := p.expect(ruleOpen, wantOpen, false)
	if err == nil {
		n.child, err = p.child()
	}
	if err == nil {
		err = p.expect(ruleClose, wantClose, false)
	}
	return n, err
}

// child reads the name or ARN of an alarm. What is no operator of its own inside of parentheses is a name, too.
func (p *ruleParser) child() (int, error) {
	t := p.token()
	text := t.text
	switch t.kind {
	case ruleEnd, ruleOpen, ruleClose, ruleComma:
		return 0, p.unsupported(wantAlarm)
	case ruleQuoted:
		text = unquoteName(text)
	}
	if text == "" || t.kind == ruleName && text[0] == '"' {
		return 0, p.unsupported(wantAlarm)
	}
	p.next++
	p.elements++
	ref := AlarmRef{Name: text, ARN: ARN(p.tenant, text)}
	if strings.HasPrefix(text, "arn:") {
		of, name, ok := ParseARN(text)
		if !ok {
			p.noteMeaning(ruleError("Invalid alarm ARN " + text))
		}
		if err := p.foreign(of); ok && err != nil {
			p.noteMeaning(err)
		}
		ref = AlarmRef{Name: name, ARN: text}
	}
	place, known := p.places[ref.ARN]
	if !known {
		place = len(p.rule.children)
		p.places[ref.ARN] = place
		p.rule.children = append(p.rule.children, ref)
		p.rule.texts = append(p.rule.texts, text)
	}
	return place, nil
}

// foreign refuses alarms that are not the tenant's.
func (p *ruleParser) foreign(of cloudwatch.Tenant) error {
	switch {
	case p.tenant == cloudwatch.Tenant{}:
		return nil
	case of.Region != p.tenant.Region:
		return ruleError(fmt.Sprintf("Wrong ARN region, it was %s but %s was expected instead", of.Region, p.tenant.Region))
	case of.Account != p.tenant.Account:
		return validationError("A composite alarm cannot have a child relation with alarms from another AWS account")
	}
	return nil
}

func (p *ruleParser) atLeast() (ruleNode, error) {
	n := &atLeastNode{}
	p.next++
	if err := p.expect(ruleOpen, wantOpen, false); err != nil {
		return nil, err
	}
	number := p.token()
	switch number.kind {
	case ruleNumber:
	case rulePercentage:
		n.percent = true
	default:
		return nil, p.unsupported(wantNumber)
	}
	p.next++
	if err := p.expect(ruleComma, wantComma, false); err != nil {
		return nil, err
	}
	wanted := wantNot + listDivider + wantStates
	if n.not = p.token().kind == ruleNot; n.not {
		p.next++
		wanted = wantStates
	}
	if p.token().kind != ruleState {
		return nil, p.unsupported(wanted)
	}
	n.state = State(p.token().text)
	p.next++
	if err := p.expect(ruleComma, wantComma, false); err != nil {
		return nil, err
	}
	if err := p.children(n); err != nil {
		return nil, err
	}
	n.threshold = -1
	if v, err := strconv.Atoi(strings.TrimSuffix(number.text, "%")); err == nil {
		n.threshold = v
	}
	switch {
	case n.percent && (n.threshold < 1 || n.threshold > 100):
		p.noteMeaning(ruleError("AT_LEAST percentage threshold must be between 1 and 100"))
	case !n.percent && (n.threshold < 1 || n.threshold > len(n.children)):
		p.noteMeaning(ruleError(fmt.Sprintf(
			"AT_LEAST absolute threshold must be between 1 and number of alarms (%d)", len(n.children))))
	}
	return n, nil
}

// children reads the list of AT_LEAST, and the parenthesis behind it.
func (p *ruleParser) children(n *atLeastNode) error {
	if err := p.expect(ruleOpen, wantOpen, false); err != nil {
		return err
	}
	for {
		child, err := p.child()
		if err != nil {
			return err
		}
		n.children = append(n.children, child)
		switch p.token().kind {
		case ruleComma:
			p.next++
		case ruleClose:
			p.next++
			return p.expect(ruleClose, wantClose, false)
		default:
			return p.unsupported(wantClose + listDivider + wantComma)
		}
	}
}
