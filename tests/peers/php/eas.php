<?php
// An EAS behind PHP's own SoapServer, which reads and writes rpc/encoded by the WSDL alone.
// What it understood of each call is appended to calls.jsonl, for the test to compare.

class Eas
{
    private string $folder;
    private string $session = '';

    public function __construct(string $folder)
    {
        $this->folder = $folder;
    }

    // PHP calls a method by the name of each header that arrives, declared or not.
    public function SessionId($value)
    {
        $this->session = (string) $value;
    }

    public function login($user, $password, $solution, $dataCentre, $language, $database)
    {
        $this->note('login', func_get_args());
        $context = new stdClass();
        $context->dbType = $database;
        $context->dcName = $dataCentre;
        $context->password = null;
        $context->sessionId = "session-of-$user";
        $context->slnName = $solution;
        $context->userName = $user;
        return $context;
    }

    public function importVoucher($rows, $isSubmit, $isVerify, $isCashflow)
    {
        $this->guard();
        $this->note('importVoucher', ['rows' => $rows, 'isSubmit' => $isSubmit]);
        if (file_exists("$this->folder/mute-before")) {
            unlink("$this->folder/mute-before");
            die();
        }
        $books = $this->books();
        $results = [];
        foreach ($this->vouchers($rows) as $reference => $own) {
            $head = $own[0];
            $unknown = array_filter($own, fn($row) => str_starts_with($row->accountNumber, '9999'));
            if ($unknown) {
                $results[] = "1002||null||0||0||凭证{$reference}没有找到科目";
                continue;
            }
            $number = sprintf('%04d', count($books) + 1);
            $debit = array_sum(array_map(fn($row) => $row->debitAmount ?? 0, $own));
            $books[] = [$reference, $number, sprintf('%.2f', $debit), $head->voucherType,
                        $head->periodYear, $head->periodNumber];
            $results[] = "0000||{$head->voucherType}||{$head->periodYear}||{$head->periodNumber}"
                       . "||成功保存||$number";
        }
        file_put_contents("$this->folder/books.json", json_encode($books));
        if (file_exists("$this->folder/mute")) {
            unlink("$this->folder/mute");
            die();
        }
        return $results;
    }

    public function findVoucher($company, $year, $period)
    {
        $this->guard();
        $this->note('findVoucher', func_get_args());
        $asked = array_filter($this->books(), fn($one) => $one[4] == $year && $one[5] == $period);
        return array_map(fn($one) => implode('||', $one), array_values($asked));
    }

    private function guard(): void
    {
        if ($this->session === '' || file_exists("$this->folder/dead-$this->session")) {
            @unlink("$this->folder/dead-$this->session");
            throw new SoapFault('Server.userException', 'session is invalid 会话已失效');
        }
    }

    private function vouchers(array $rows): array
    {
        $found = [];
        foreach ($rows as $row) {
            $found[$row->voucherNumber][] = $row;
        }
        return $found;
    }

    private function books(): array
    {
        $file = "$this->folder/books.json";
        return file_exists($file) ? json_decode(file_get_contents($file)) : [];
    }

    private function note(string $operation, array $held): void
    {
        $line = json_encode([$operation, $this->session, $held], JSON_UNESCAPED_UNICODE);
        file_put_contents("$this->folder/calls.jsonl", "$line\n", FILE_APPEND);
    }
}

$server = new SoapServer(getenv('VOUCHER_WSDL'), ['features' => SOAP_SINGLE_ELEMENT_ARRAYS]);
$server->setObject(new Eas(getenv('VOUCHER_FOLDER')));
$server->handle();
