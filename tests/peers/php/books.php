<?php
// The ledger behind service.php: one JSON file, written as a whole under a lock, synced before any
// answer. Amounts are integers of thousandths: the contract has at most three decimals.

final class Books {
    public int $changes = 0;
    public array $documents = [];

    public static function folder(): string {
        return getenv('VOUCHER_FOLDER');
    }

    public static function read(): Books {
        $books = new Books();
        $file = self::folder() . '/books.json';
        if (is_file($file))
            foreach (json_decode(file_get_contents($file), true) as $name => $value) $books->$name = $value;
        return $books;
    }

    /** Let `$work` change the books alone; what it returns is told once they are on disk. */
    public static function write(callable $work): mixed {
        $lock = fopen(self::folder() . '/lock', 'c');
        flock($lock, LOCK_EX);
        $books = self::read();
        $before = $books->changes;
        $told = $work($books);
        if ($books->changes === $before) return $told;
        $file = fopen(self::folder() . '/books.new', 'w');
        fwrite($file, json_encode($books));
        fsync($file);
        rename(self::folder() . '/books.new', self::folder() . '/books.json');
        flock($lock, LOCK_UN);
        misbehave();
        return $told;
    }

    public function enter($voucher, ?array $target): array {
        $this->documents[$voucher->Reference] = [
            'claim' => "$voucher->Company $voucher->ClaimId",
            'company' => $voucher->Company,
            'year' => substr($voucher->PostingDate, 0, 4),
            'revision' => (int) $voucher->Revision,
            'purpose' => $voucher->Purpose,
            'sums' => sums($voucher->Posting, fn($posting) => "$posting->Account $posting->Currency"),
            'change' => 0,
            'shown' => ['Reference' => $voucher->Reference, 'Status' => 'entered',
                'DebitTotal' => totals(debits($voucher->Posting))],
        ];
        $this->change($voucher->Reference, []);
        if ($target || !is_file(self::folder() . '/hold')) $this->post($voucher->Reference);
        $shown = $this->documents[$voucher->Reference]['shown'];
        if ($target)
            $this->change($target['shown']['Reference'],
                ['Status' => 'reversed', 'ReversedBy' => $shown['JournalEntry']]);
        return $shown;
    }

    /** The document behind a journal entry; null when there is none. */
    public function numbered($entry): ?array {
        foreach ($this->documents as $document)
            if (($document['shown']['JournalEntry'] ?? null) == (array) $entry) return $document;
        return null;
    }

    /** Post what is entered, or pay what is posted. */
    public function move(string $to): void {
        foreach ($this->documents as $reference => $document) {
            if ($to === 'posted' && $document['shown']['Status'] === 'entered') $this->post($reference);
            if ($to === 'paid' && $document['shown']['Status'] === 'posted' && $document['purpose'] === 'post')
                $this->change($reference, ['Status' => 'paid', 'PaidOn' => gmdate('Y-m-d')]);
        }
    }

    private function post(string $reference): void {
        $numbers = count(array_filter($this->documents, fn($d) => isset($d['shown']['JournalEntry'])));
        $document = $this->documents[$reference];
        $this->change($reference, ['Status' => 'posted', 'JournalEntry' => [
            'Number' => sprintf('%06d', $numbers + 1), 'Company' => $document['company'],
            'FiscalYear' => $document['year']]]);
    }

    private function change(string $reference, array $now): void {
        $document = &$this->documents[$reference];
        $document['change'] = ++$this->changes;
        $document['shown'] = $now + ['ChangedAt' => gmdate('Y-m-d\TH:i:s\Z')] + $document['shown'];
    }
}

/** Lose the answer to what was just committed, where the file `mischief` orders it, once. */
function misbehave(): void {
    $order = Books::folder() . '/mischief';
    if (!is_file($order)) return;
    $how = file_get_contents($order);
    unlink($order);
    if ($how === 'killed') posix_kill(getmypid(), SIGKILL);
    exit; // with status 200, and nothing in it
}

/** Debits less credits, in thousandths, for each name that `$by` gives a posting. */
function sums(array $postings, callable $by): array {
    $sums = [];
    foreach ($postings as $posting) {
        $amount = thousandths($posting->Amount);
        $sums[$by($posting)] = ($sums[$by($posting)] ?? 0) + ($posting->Side === 'debit' ? $amount : -$amount);
    }
    ksort($sums);
    return $sums;
}

function debits(array $postings): array {
    return sums(array_filter($postings, fn($posting) => $posting->Side === 'debit'), fn($p) => $p->Currency);
}

function thousandths(string $amount): int {
    [$whole, $decimals] = explode('.', $amount) + [1 => ''];
    return (int) ($whole . str_pad($decimals, 3, '0'));
}

function totals(array $sums): array {
    $totals = [];
    foreach ($sums as $currency => $sum)
        $totals[] = ['Currency' => $currency, 'Amount' => intdiv($sum, 1000) . sprintf('.%03d', $sum % 1000)];
    return $totals;
}
