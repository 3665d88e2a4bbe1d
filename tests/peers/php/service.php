<?php
// A voucher service that keeps to voucher-service.wsdl, in PHP's own SoapServer behind `php -S`.
//
// VOUCHER_WSDL names the contract, VOUCHER_FOLDER the folder of the ledger (books.php) and of every
// request and reply as it was on the wire. Beside SOAP: GET /move/posted and GET /move/paid.
require __DIR__ . '/books.php';

const COMPANIES = ['CN01', 'SG01'];

final class Service {
    public function SubmitVoucher($request) {
        return ['Document' => $this->document($request->Voucher, 'post')];
    }

    public function ReverseVoucher($request) {
        return ['Document' => $this->document($request->Voucher, 'reverse')];
    }

    public function SubmitVouchers($request) {
        $items = [];
        foreach ($request->Voucher as $voucher) {
            [$verdict, $content] = $this->judged($voucher, 'post');
            $items[] = ['Reference' => $voucher->Reference, $verdict => $content];
        }
        return ['Item' => $items];
    }

    public function QueryVouchers($request) {
        $items = [];
        foreach ($request->Reference as $reference) {
            $held = Books::read()->documents[$reference] ?? null;
            $items[] = ['Reference' => $reference]
                + ($held ? ['Document' => $held['shown']] : ['Absent' => new stdClass()]);
        }
        return ['Item' => $items];
    }

    public function ListChanges($request) {
        $books = Books::read();
        $cursor = $request->Cursor ?? 'change-0';
        $since = sscanf($cursor, 'change-%d')[0];
        if ($since === null || $since > $books->changes)
            throw new SoapFault('Client', 'not a cursor of ours', null, ['Cursor' => $cursor], 'InvalidCursorFault');
        $changed = array_filter($books->documents, fn($document) => $document['change'] > $since);
        usort($changed, fn($a, $b) => $a['change'] <=> $b['change']);
        $page = array_slice($changed, 0, $request->Limit);
        return [
            'Document' => array_column($page, 'shown'),
            'Cursor' => 'change-' . ($page ? end($page)['change'] : $since),
            'More' => count($changed) > count($page),
        ];
    }

    private function document($voucher, string $purpose): array {
        [$verdict, $content] = $this->judged($voucher, $purpose);
        if ($verdict === 'Document') return $content;
        $fault = $verdict === 'Duplicate' ? 'DuplicateReferenceFault' : "{$verdict}Fault";
        throw new SoapFault('Client', "the ledger says: $verdict", null, $content, $fault);
    }

    /** The verdict of the contract's rules 1 to 4, and what an Item or a typed fault tells of it. */
    private function judged($voucher, string $purpose): array {
        return Books::write(function (Books $books) use ($voucher, $purpose) {
            $held = $books->documents[$voucher->Reference] ?? null;
            if ($held) return ['Duplicate', ['Document' => $held['shown']]];
            $target = isset($voucher->Reverses) ? $books->numbered($voucher->Reverses) : null;
            if (isset($voucher->Reverses) && !$target)
                return ['NotFound', ['Reference' => $voucher->Reference, 'JournalEntry' => $voucher->Reverses]];
            $reasons = [...reasons($voucher, $purpose), ...against($books, $voucher, $target)];
            if ($reasons) return ['Rejected', ['Reference' => $voucher->Reference, 'Reason' => $reasons]];
            return ['Document', $books->enter($voucher, $target)];
        });
    }
}

/** What is wrong with a voucher by itself. */
function reasons($voucher, string $purpose): array {
    $found = [];
    if ($voucher->Purpose !== $purpose || isset($voucher->Reverses) !== ($purpose === 'reverse'))
        $found[] = reason('wrong-purpose', "this operation takes the purpose $purpose", 'Purpose');
    if (!in_array($voucher->Company, COMPANIES, true))
        $found[] = reason('unknown-company', "company $voucher->Company is unknown 未知公司", 'Company');
    foreach ($voucher->Posting as $posting)  // a document of these books is one company's
        if (($posting->Company ?? $voucher->Company) !== $voucher->Company)
            $found[] = reason('other-company', "its books are not kept here", "Posting[$posting->Number]/Company");
    foreach (sums($voucher->Posting, fn($p) => $p->Currency) as $currency => $sum)
        if ($sum !== 0) $found[] = reason('unbalanced', "$currency does not balance");
    $stated = [];
    foreach ($voucher->DebitTotal as $total) $stated[$total->Currency] = thousandths($total->Amount);
    ksort($stated);
    if ($stated !== debits($voucher->Posting))
        $found[] = reason('total-mismatch', 'the debits add up to something else', 'DebitTotal');
    return $found;
}

/** What the books have against a voucher: rule 4, and what is said of ReverseVoucher. */
function against(Books $books, $voucher, ?array $target): array {
    if ($target) {
        $account = fn($posting) => "$posting->Account $posting->Currency";
        $taken_back = array_map(fn($sum) => -$sum, sums($voucher->Posting, $account));
        if (in_array($target['shown']['Status'], ['posted', 'paid']) && $taken_back == $target['sums'])
            return [];
        return [reason('not-reversible', "it is {$target['shown']['Status']}", 'Reverses')];
    }
    foreach ($books->documents as $other) {
        if ($other['claim'] !== "$voucher->Company $voucher->ClaimId" || $other['purpose'] !== 'post')
            continue;
        if ($other['revision'] > $voucher->Revision)
            return [reason('superseded', 'a later revision is here', 'Revision')];
        if ($other['shown']['Status'] !== 'reversed')
            return [reason('live-revision', 'an earlier revision lives', 'Revision')];
    }
    return [];
}

function reason(string $code, string $text, ?string $field = null): array {
    return ['Code' => $code, 'Text' => $text] + ($field ? ['Field' => $field] : []);
}

if (preg_match('#^/move/(posted|paid)$#', $_SERVER['REQUEST_URI'], $asked)) {
    Books::write(fn(Books $books) => $books->move($asked[1]));
    return;
}
$exchange = Books::folder() . '/' . sprintf('%020d', hrtime(true)) . '-' . getmypid();
file_put_contents("$exchange-request.xml", $request = file_get_contents('php://input'));
ob_start(function (string $reply) use ($exchange) {
    if ($reply !== '') file_put_contents("$exchange-reply.xml", $reply);
    return $reply;
});
$version = str_contains($_SERVER['CONTENT_TYPE'], 'application/soap+xml') ? SOAP_1_2 : SOAP_1_1;
$server = new SoapServer(getenv('VOUCHER_WSDL'), ['soap_version' => $version,
    'features' => SOAP_SINGLE_ELEMENT_ARRAYS, 'cache_wsdl' => WSDL_CACHE_NONE]);
$server->setObject(new Service());
$server->handle($request);
